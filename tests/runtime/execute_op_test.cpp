#include "runtime/execute_op.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

namespace ptq::runtime {
namespace {

at::Tensor numbers(std::vector<float> values, c10::IntArrayRef shape) {
  return at::tensor(values).reshape(shape);
}

ir::Parameter parameter(const at::Tensor& value) { return {"p", value}; }

#define EXPECT_TENSOR(actual, expected) EXPECT_TRUE(at::equal(actual, expected)) << (actual)

TEST(ExecuteOp, ConvolvesWithBiasStrideAndPadding) {
  ir::Conv conv;
  conv.weight = parameter(at::ones({1, 1, 2, 2}));
  conv.bias = parameter(at::full({1}, 10.0));
  conv.stride = {2, 2}, conv.padding = {1, 1}, conv.dilation = {1, 1};
  const at::Tensor x = numbers({1, 2, 3, 4}, {1, 1, 2, 2});
  EXPECT_TENSOR(execute_op(conv, {x}, 1), numbers({11, 12, 13, 14}, {1, 1, 2, 2}));
}

TEST(ExecuteOp, TransposedConvolutionSpreadsEveryPixel) {
  ir::ConvTranspose conv;
  conv.weight = parameter(at::ones({1, 1, 2, 2}));
  conv.stride = {2, 2}, conv.padding = {0, 0}, conv.output_padding = {0, 0};
  conv.dilation = {1, 1};
  const at::Tensor x = numbers({1, 2}, {1, 1, 1, 2});
  EXPECT_TENSOR(execute_op(conv, {x}, 1), numbers({1, 1, 2, 2, 1, 1, 2, 2}, {1, 1, 2, 4}));
}

TEST(ExecuteOp, LinearIsOverTheLastDimension) {
  ir::Linear linear;
  linear.weight = parameter(numbers({1, 0, 1, 1}, {2, 2}));
  linear.bias = parameter(numbers({0, 100}, {2}));
  EXPECT_TENSOR(execute_op(linear, {numbers({3, 4}, {1, 1, 2})}, 1), numbers({3, 107}, {1, 1, 2}));
}

TEST(ExecuteOp, BatchNormUsesRunningStatistics) {
  ir::BatchNorm norm;
  norm.running_mean = parameter(at::full({1}, 2.0));
  norm.running_var = parameter(at::full({1}, 4.0));
  norm.weight = parameter(at::full({1}, 3.0));
  norm.bias = parameter(at::full({1}, 1.0));
  norm.eps = 0;
  EXPECT_TENSOR(execute_op(norm, {at::full({1, 1, 1, 1}, 6.0)}, 1), at::full({1, 1, 1, 1}, 7.0));
}

TEST(ExecuteOp, ClipsRelu6AtBothEnds) {
  EXPECT_TENSOR(execute_op(ir::Relu6{}, {numbers({-1, 3, 9}, {3})}, 1), numbers({0, 3, 6}, {3}));
}

TEST(ExecuteOp, MultipliesMatricesOfEveryRank) {
  const at::Tensor a = numbers({1, 2}, {1, 1, 2});
  const at::Tensor b = numbers({3, 4}, {1, 2, 1});
  EXPECT_TENSOR(execute_op(ir::MatMul{}, {a, b}, 1), at::full({1, 1, 1}, 11.0));
  EXPECT_TENSOR(execute_op(ir::MatMul{}, {a, b[0]}, 1), at::full({1, 1, 1}, 11.0));
}

TEST(ExecuteOp, PoolsWithCeilingAndWithoutCountingPadding) {
  const at::Tensor x = numbers({1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 1, 3, 3});
  const ir::MaxPool max{{2, 2}, {2, 2}, {0, 0}, {1, 1}, true};
  EXPECT_TENSOR(execute_op(max, {x}, 1), numbers({5, 6, 8, 9}, {1, 1, 2, 2}));
  const ir::AvgPool average{{2, 2}, {2, 2}, {1, 1}, false, false, {}};
  EXPECT_TENSOR(execute_op(average, {x}, 1), numbers({1, 2.5, 5.5, 7}, {1, 1, 2, 2}));
}

TEST(ExecuteOp, PoolsOneAndThreeDimensions) {
  const at::Tensor line = numbers({1, 5, 2, 2}, {1, 1, 4});
  EXPECT_TENSOR(execute_op(ir::MaxPool{{2}, {2}, {0}, {1}, false}, {line}, 1),
                numbers({5, 2}, {1, 1, 2}));
  EXPECT_TENSOR(execute_op(ir::AdaptiveAvgPool{{2}}, {line}, 1), numbers({3, 2}, {1, 1, 2}));
  const at::Tensor block = at::ones({1, 1, 2, 2, 2});
  const ir::AvgPool average{{2, 2, 2}, {2, 2, 2}, {0, 0, 0}, false, true, 4};
  EXPECT_TENSOR(execute_op(average, {block}, 1), at::full({1, 1, 1, 1, 1}, 2.0));
}

TEST(ExecuteOp, ResolvesExtentsThatGrowWithTheBatch) {
  const at::Tensor x = at::arange(12, at::kFloat).reshape({2, 6});
  const ir::Reshape reshape{{{3, true}, {2, false}}};
  EXPECT_EQ(execute_op(reshape, {x}, 2).sizes().vec(), (std::vector<int64_t>{6, 2}));
  const ir::Expand expand{{{1, true}, {6, false}}};
  EXPECT_EQ(execute_op(expand, {x.slice(0, 0, 1)}, 5).size(0), 5);
  const ir::Slice slice{0, {0, false}, {1, true}, 1};
  EXPECT_EQ(execute_op(slice, {x}, 2).size(0), 2);
}

TEST(ExecuteOp, TakesPartsAndReordersDimensions) {
  const at::Tensor x = numbers({1, 2, 3, 4, 5, 6}, {2, 3});
  EXPECT_TENSOR(execute_op(ir::Select{1, {2, false}}, {x}, 2), numbers({3, 6}, {2}));
  EXPECT_TENSOR(execute_op(ir::Slice{1, {0, false}, {3, false}, 2}, {x}, 2),
                numbers({1, 3, 4, 6}, {2, 2}));
  EXPECT_TENSOR(execute_op(ir::Permute{{1, 0}}, {x}, 2), numbers({1, 4, 2, 5, 3, 6}, {3, 2}));
}

TEST(ExecuteOp, CallsAnyOperatorThroughTheDispatcher) {
  const ir::Opaque sum{
      "aten::sum", "dim_IntList", {ir::InputRef{0}, ir::Dims{{1, false}}, true, std::monostate{}}};
  EXPECT_TENSOR(execute_op(sum, {numbers({1, 2, 3, 4}, {2, 2})}, 2), numbers({3, 7}, {2, 1}));
}

TEST(ExecuteOp, PicksTheResultOfAnOperatorThatHasSeveral) {
  ir::Opaque top{
      "aten::topk", "", {ir::InputRef{0}, ir::Dim{1, false}, ir::Dim{0, false}, true, true}};
  const at::Tensor x = numbers({1, 9, 4}, {3});
  EXPECT_TENSOR(execute_op(top, {x}, 1), numbers({9}, {1}));
  top.result = 1;
  EXPECT_EQ(execute_op(top, {x}, 1).item<int64_t>(), 1);
}

TEST(ExecuteOp, HandsListsOfInputsWithGapsToTheDispatcher) {
  const ir::Opaque stack{"aten::stack", "", {ir::InputRefs{{1, 0}}, ir::Dim{0, false}}};
  EXPECT_TENSOR(execute_op(stack, {numbers({1}, {1}), numbers({2}, {1})}, 1),
                numbers({2, 1}, {2, 1}));
  const ir::Opaque index{
      "aten::index", "Tensor", {ir::InputRef{0}, ir::InputRefs{{ir::kNoInput, 1}}}};
  const at::Tensor columns = at::tensor(std::vector<int64_t>{1});
  EXPECT_TENSOR(execute_op(index, {numbers({1, 2, 3, 4}, {2, 2}), columns}, 2),
                numbers({2, 4}, {2, 1}));
}

TEST(ExecuteOp, LetsFakeQuantizeThrough) {
  const at::Tensor x = numbers({0.3F}, {1});
  EXPECT_TRUE(execute_op(ir::FakeQuantize{0}, {x}, 1).is_same(x));
}

TEST(ExecuteOp, LeavesErrorsToTheCaller) {
  EXPECT_THROW(execute_op(ir::MatMul{}, {at::ones({2, 3}), at::ones({2, 3})}, 1), c10::Error);
}

}  // namespace
}  // namespace ptq::runtime
