#include "runtime/steps/tail_from_node.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "runtime/execute_op.h"
#include "runtime/steps/step.h"

namespace ptq::runtime {
namespace {

ir::Node node_of(ir::Op op) { return {"node", "node", std::move(op), {0}, {1}}; }

ir::Node batch_norm() {
  ir::BatchNorm op;
  op.running_mean.value = at::ones({4});
  op.running_var.value = at::ones({4});
  return node_of(op);
}

ir::Node scaled_relu6() {
  ir::Relu6 op;
  op.ceiling = ir::Parameter{"node.ceiling", at::full({4, 1, 1}, 3.0F)};
  return node_of(op);
}

TEST(TailLength, IsThatOfTheTail) {
  for (const ir::Node& node : {batch_norm(), scaled_relu6(), node_of(ir::Relu6{}),
                               node_of(ir::Relu{}), node_of(ir::AddScalar{})}) {
    const Tail tail = tail_of(node, {}, 4, 0, 0);
    EXPECT_EQ(tail_length(node), static_cast<std::ptrdiff_t>(tail.size())) << ir::op_name(node.op);
  }
}

/// LibTorch runs the batch norm; nothing of it may run again behind that.
TEST(BuildStep, LeavesNothingOfABatchNormToTheTailOfItsFallback) {
  ir::BatchNorm op;
  op.running_mean.value = op.running_var.value = at::ones({4}, at::kDouble);
  const ir::Node node = node_of(op);
  Layout doubles = row_major({1, 4, 2, 2});
  doubles.dtype = at::kDouble;
  const quant::QuantizerTable table;
  const StepRequest request{
      node, table, {doubles}, {1, 4, 2, 2}, tail_of(node, table, 4, 0, 0), 0, {}, nullptr, 1};
  const BuiltStep built = build_step(request);
  const at::Tensor images = at::ones({1, 4, 2, 2}, at::kDouble).mul(3);
  at::Tensor out = at::zeros({1, 4, 2, 2}, at::kDouble);
  built.step->bind({images}, out, nullptr)();
  EXPECT_TRUE(at::equal(out, execute_op(node.op, {images}, 1)));
}

/// relu6 or its scaled form, and a quantization to bytes of this scale, behind an operation that is
/// not to be touched.
Tail clamped(const ir::Node& clamp, float scale) {
  Tail tail = tail_of(node_of(ir::Relu6{}), {}, 4, 0, 0);
  for (const TailOp& op : tail_of(clamp, {}, 4, 0, 0)) tail.push_back(op);
  TailOp fake;
  fake.kind = TailKind::kFakeQuantize;
  fake.params = quant::QParams{scale, 0, 0, 255};
  tail.push_back(fake);
  return tail;
}

std::vector<TailKind> kinds_of(const Tail& tail) {
  std::vector<TailKind> kinds;
  for (const TailOp& op : tail) kinds.push_back(op.kind);
  return kinds;
}

std::vector<float> values_of(const Tail& tail) {
  std::vector<float> values = {-1, 0, 1.7F, 2.999F, 3, 5.99F, 6, 7, 1e30F};
  for (const TailOp& op : tail) {
    const float* ceiling = op.constant.defined() ? op.constant.data_ptr<float>() : nullptr;
    apply_tail_op(op, values.data(), ceiling, 0, static_cast<int64_t>(values.size()));
  }
  return values;
}

TEST(AbsorbCeilings, TakesThoseThatTheQuantizationHasToo) {
  for (const auto& [clamp, scale] : std::vector<std::pair<ir::Node, float>>{
           {node_of(ir::Relu6{}), 6.0F / 255}, {scaled_relu6(), 3.0F / 255}}) {
    Tail tail = clamped(clamp, scale);
    const std::vector<float> before = values_of(tail);
    absorb_ceilings(tail, 1);
    EXPECT_EQ(kinds_of(tail),
              (std::vector<TailKind>{TailKind::kRelu6, TailKind::kRelu, TailKind::kFakeQuantize}));
    EXPECT_EQ(values_of(tail), before);
  }
}

TEST(AbsorbCeilings, LeavesCeilingsBelowTheLargestCode) {
  for (const auto& [clamp, scale] : std::vector<std::pair<ir::Node, float>>{
           {node_of(ir::Relu6{}), 6.1F / 255}, {scaled_relu6(), 6.0F / 255}}) {
    Tail tail = clamped(clamp, scale);
    const size_t operations = tail.size();
    absorb_ceilings(tail, 1);
    EXPECT_EQ(tail.size(), operations);
    EXPECT_NE(kinds_of(tail)[operations - 2], TailKind::kRelu);
  }
}

}  // namespace
}  // namespace ptq::runtime
