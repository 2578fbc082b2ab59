#include "base/ordered_sum.h"

#include <ATen/ops/arange.h>
#include <gtest/gtest.h>

#include "base/threads.h"

namespace ptq {
namespace {

TEST(OrderedSum, AddsAllElements) {
  EXPECT_EQ(ordered_sum(at::arange(100001, at::kFloat)), 5000050000);
  EXPECT_EQ(ordered_sum(at::arange(12, at::kFloat).view({3, 4}).t()), 66);
  EXPECT_EQ(ordered_sum(at::arange(0, at::kFloat)), 0);
}

TEST(OrderedSum, IsTheSameForAnyNumberOfThreads) {
  const at::Tensor values = at::arange(210001, at::kFloat).sin();
  set_intra_op_threads(1);
  const double alone = ordered_sum(values);
  set_intra_op_threads(3);
  EXPECT_EQ(ordered_sum(values), alone);
  set_intra_op_threads(available_cores());
}

}  // namespace
}  // namespace ptq
