#include "runtime/steps/tail_from_node.h"

#include <ATen/ops/equal.h>
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

TEST(TailLength, IsThatOfTheTail) {
  for (const ir::Node& node : {batch_norm(), node_of(ir::Relu{}), node_of(ir::AddScalar{})}) {
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

}  // namespace
}  // namespace ptq::runtime
