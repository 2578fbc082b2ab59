#include "passes/rounding/input_moments.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "passes/rounding/weight_rows.h"
#include "ptq/base/error.h"
#include "runtime/execute_op.h"
#include "support/graph_builder.h"
#include "unfolded_columns.h"

namespace ptq::passes {
namespace {

using ptq::testing::normals;
using testing::unfolded_columns;

ir::Conv conv(const std::vector<int64_t>& weight, int64_t groups = 1, int64_t stride = 1,
              int64_t padding = 0, int64_t dilation = 1) {
  ir::Conv op;
  const size_t dims = weight.size() - 2;
  op.weight.value = normals(weight, 1, 1);
  op.stride = ir::Ints(dims, stride);
  op.padding = ir::Ints(dims, padding);
  op.dilation = ir::Ints(dims, dilation);
  op.groups = groups;
  return op;
}

ir::ConvTranspose conv_transpose(const std::vector<int64_t>& weight, int64_t groups) {
  ir::ConvTranspose op;
  op.weight.value = normals(weight, 1, 1);
  op.stride = {2, 2};
  op.padding = {1, 1};
  op.output_padding = {1, 1};
  op.dilation = {1, 1};
  op.groups = groups;
  return op;
}

ir::Linear linear(int64_t out, int64_t in) {
  ir::Linear op;
  op.weight.value = normals({out, in}, 1, 1);
  return op;
}

struct Case {
  std::string name;
  ir::Op op;
  std::vector<int64_t> input;
};

std::vector<Case> cases() {
  return {
      {"linear", linear(5, 7), {4, 7}},
      {"linear_of_tokens", linear(5, 300), {2, 9, 300}},
      {"pointwise", conv({6, 5, 1, 1}), {2, 5, 4, 3}},
      {"conv", conv({6, 5, 3, 3}, 1, 2, 1, 2), {3, 5, 9, 8}},
      {"wide_conv", conv({4, 40, 3, 3}, 1, 1, 1), {2, 40, 6, 6}},
      {"grouped", conv({6, 3, 3, 3}, 2, 1, 1), {2, 6, 5, 5}},
      {"depthwise", conv({6, 1, 3, 3}, 6, 2, 1), {2, 6, 30, 31}},
      {"depthwise_of_many_channels", conv({37, 1, 5, 5}, 37, 1, 2), {2, 37, 9, 8}},
      {"depthwise_dilated", conv({20, 1, 3, 3}, 20, 2, 2, 2), {2, 20, 9, 8}},
      {"depthwise_of_one_dimension", conv({6, 1, 5}, 6, 2, 2), {2, 6, 11}},
      {"depthwise_of_three_dimensions", conv({6, 1, 2, 3, 2}, 6, 1, 1), {1, 6, 3, 4, 5}},
      {"two_outputs_a_channel", conv({12, 1, 3, 3}, 6, 1, 1), {2, 6, 5, 4}},
      {"small_groups", conv({40, 2, 3, 3}, 20, 1, 1), {1, 40, 5, 4}},
      {"pointwise_grouped", conv({6, 40, 1, 1}, 2), {2, 80, 4, 3}},
      {"wide_grouped", conv({6, 20, 3, 3}, 3, 2, 1), {2, 60, 7, 6}},
      {"one_dimension", conv({4, 3, 5}, 1, 2, 2), {2, 3, 11}},
      {"three_dimensions", conv({4, 2, 2, 3, 2}, 1, 1, 1), {1, 2, 3, 4, 5}},
      {"transposed", conv_transpose({4, 3, 3, 3}, 1), {2, 4, 5, 4}},
      {"transposed_grouped", conv_transpose({4, 3, 3, 3}, 2), {2, 4, 5, 4}},
  };
}

class InputMomentsOf : public ::testing::TestWithParam<Case> {};

TEST_P(InputMomentsOf, ALayerAreProductsOfItsUnfoldedInput) {
  const Case& c = GetParam();
  InputMoments moments(c.op, {});
  const at::Tensor first = normals(c.input, 1, 2), second = normals(c.input, 1, 3);
  moments.add(first, 0.5);
  moments.add(second, 2);
  const at::Tensor x = unfolded_columns(c.op, first), y = unfolded_columns(c.op, second);
  EXPECT_EQ(moments.columns_of(first), x.size(2));
  const at::Tensor expected =
      at::matmul(x, x.transpose(1, 2)).mul(0.5).add(at::matmul(y, y.transpose(1, 2)).mul(2));
  EXPECT_TRUE(at::allclose(moments.hessian(), expected, 1e-4, 1e-3));
}

TEST_P(InputMomentsOf, TwoStreamsAddUpToTheErrorOfTheLayer) {
  const Case& c = GetParam();
  const at::Tensor rows = weight_rows(c.op, ir::weighted(c.op)->weight.value);
  InputMoments moments(c.op, {true, 1, rows, true});
  const at::Tensor input = normals(c.input, 1, 2), in_float = normals(c.input, 1, 3);
  moments.add(input, in_float, 0.5);
  const at::Tensor x = unfolded_columns(c.op, input), f = unfolded_columns(c.op, in_float);
  EXPECT_TRUE(at::allclose(moments.cross(), at::matmul(x, f.transpose(1, 2)).mul(0.5), 1e-4, 1e-3));
  EXPECT_TRUE(at::allclose(moments.input_sums().to(at::kDouble), x.sum(2).mul(0.5), 1e-4, 1e-3));
  EXPECT_TRUE(at::allclose(moments.float_sums().to(at::kDouble), f.sum(2).mul(0.5), 1e-4, 1e-3));
  const at::Tensor out = runtime::execute_op(c.op, {in_float}, in_float.size(0));
  EXPECT_NEAR(moments.energy(), 0.5 * out.square().sum().item<double>(), 1e-4 * moments.energy());
}

TEST_P(InputMomentsOf, DoNotDependOnTheOrderInMemory) {
  const Case& c = GetParam();
  if (c.input.size() != 4) return;
  const at::Tensor input = normals(c.input, 1, 2);
  InputMoments row_major(c.op, {}), innermost(c.op, {});
  row_major.add(input);
  innermost.add(input.contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_TRUE(row_major.hessian().equal(innermost.hessian()));
}

INSTANTIATE_TEST_SUITE_P(Layers, InputMomentsOf, ::testing::ValuesIn(cases()),
                         [](const auto& layer) { return layer.param.name; });

TEST(InputMoments, TakeAPartOfTheColumnsWhereAskedTo) {
  for (const ir::Conv& layer : {conv({4, 3, 3, 3}, 1, 1, 1), conv({3, 1, 3, 3}, 3, 1, 1)}) {
    const ir::Op op = layer;
    const at::Tensor input = normals({8, 3, 32, 32}, 1, 2);
    InputMoments all(op, {}), part(op, {false, 0.25, {}}), again(op, {false, 0.25, {}});
    all.add(input);
    part.add(input);
    again.add(input);
    const double whole = all.hessian().diagonal(0, 1, 2).sum().item<double>();
    const double quarter = part.hessian().diagonal(0, 1, 2).sum().item<double>();
    EXPECT_NEAR(quarter / whole, 0.25, 0.02);
    EXPECT_TRUE(part.hessian().equal(again.hessian()));
    EXPECT_EQ(part.columns(), all.columns());
  }
}

/// Float32 sums of so many columns are off by 1e-6, in digits that differ between processors.
TEST(InputMoments, OfManyColumnsAreAsExactAsFloat32Numbers) {
  const ir::Op op = linear(4, 24);
  const at::Tensor rows = weight_rows(op, ir::weighted(op)->weight.value);
  const at::Tensor x = normals({200000, 24}, 1, 2).abs(), f = normals({200000, 24}, 1, 3).abs();
  InputMoments moments(op, {true, 1, rows});
  moments.add(x, f);
  const auto error = [](const at::Tensor& sums, const at::Tensor& a, const at::Tensor& b) {
    const at::Tensor exact = a.to(at::kDouble).t().matmul(b.to(at::kDouble));
    return sums.select(0, 0).sub(exact).div(exact).abs().max().item<double>();
  };
  EXPECT_LT(error(moments.hessian(), x, x), 6e-8);
  EXPECT_LT(error(moments.cross(), x, f), 6e-8);
}

TEST(InputMoments, SayWhatTheyNeed) {
  const ir::Op op = linear(5, 7);
  const at::Tensor rows = weight_rows(op, ir::weighted(op)->weight.value);
  EXPECT_THROW(InputMoments(op, {true, 1, {}}), InternalError);
  InputMoments cross(op, {true, 1, rows});
  EXPECT_THROW(cross.add(at::zeros({2, 7})), InternalError);
  InputMoments plain(op, {});
  EXPECT_THROW(plain.add(at::zeros({2, 7}), at::zeros({2, 7})), InternalError);
}

TEST(WeightRows, GoBothWays) {
  for (const Case& c : cases()) {
    const at::Tensor& weight = ir::weighted(c.op)->weight.value;
    EXPECT_TRUE(weight_of_rows(c.op, weight_rows(c.op, weight)).equal(weight)) << c.name;
  }
}

}  // namespace
}  // namespace ptq::passes
