#include "runtime/gemm.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <tuple>

#include "base/threads.h"
#include "ptq/base/error.h"
#include "support/graph_builder.h"

namespace ptq::runtime {
namespace {

using ptq::testing::normals;

at::Tensor directly(const at::Tensor& a, const at::Tensor& b) {
  return at::matmul(a.to(at::kDouble), b.to(at::kDouble)).to(at::kFloat);
}

TEST(Gemm, MultipliesRowsAndColumnsAlike) {
  const at::Tensor a = normals({7, 33}, 1, 1), b = normals({33, 5}, 1, 2);
  for (const at::Tensor& first : {a, a.t().contiguous().t()}) {
    for (const at::Tensor& second : {b, b.t().contiguous().t()}) {
      EXPECT_TRUE(at::allclose(product(first, second), directly(a, b), 1e-5, 1e-5));
    }
  }
}

TEST(Gemm, TakesPartsOfMatrices) {
  const at::Tensor a = normals({20, 40}, 1, 3), b = normals({40, 30}, 1, 4);
  const at::Tensor part = a.narrow(0, 3, 9).narrow(1, 5, 12);
  const at::Tensor other = b.narrow(0, 5, 12).narrow(1, 7, 1);
  EXPECT_TRUE(at::allclose(product(part, other), directly(part, other), 1e-5, 1e-5));
  EXPECT_TRUE(
      at::allclose(product(other.t(), part.t()), directly(other.t(), part.t()), 1e-5, 1e-5));
}

TEST(Gemm, AddsIntoAPart) {
  const at::Tensor a = normals({6, 8}, 1, 5), b = normals({8, 10}, 1, 6);
  at::Tensor whole = normals({12, 20}, 1, 7);
  const at::Tensor before = whole.clone();
  at::Tensor part = whole.narrow(0, 2, 6).narrow(1, 4, 10);
  add_product(part, a, b, -2, 0.5F);
  before.narrow(0, 2, 6).narrow(1, 4, 10).mul_(0.5).sub_(directly(a, b).mul(2));
  EXPECT_TRUE(at::allclose(whole, before, 1e-5, 1e-5));
}

// Results that are whole, in parts by columns and by rows, and small ones of long sums.
TEST(Gemm, HasTheSameBitsForAnyNumberOfThreads) {
  for (const auto& [m, n, k] :
       {std::tuple{9, 9, 60}, {300, 1100, 40}, {27, 27, 9000}, {130, 515, 2049}, {1000, 8, 1280}}) {
    const at::Tensor a = normals({m, k}, 1, 8), b = normals({n, k}, 1, 9).t();
    set_intra_op_threads(1);
    const at::Tensor alone = product(a, b);
    set_intra_op_threads(3);
    EXPECT_TRUE(product(a, b).equal(alone)) << m << " x " << n << " x " << k;
    EXPECT_TRUE(at::allclose(alone, directly(a, b), 1e-3, 1e-3));
  }
  set_intra_op_threads(available_cores());
}

TEST(Gemm, OfNothingIsZero) {
  EXPECT_TRUE(product(at::zeros({3, 0}), at::zeros({0, 4})).eq(0).all().item<bool>());
}

TEST(Gemm, RefusesWhatDoesNotFit) {
  EXPECT_THROW(product(at::zeros({3, 4}), at::zeros({3, 4})), InternalError);
  EXPECT_THROW(product(at::zeros({6, 8}).slice(1, 0, 8, 2), at::zeros({4, 4})), InternalError);
  at::Tensor columns = at::zeros({4, 3}).t();
  EXPECT_THROW(add_product(columns, at::zeros({3, 2}), at::zeros({2, 4})), InternalError);
}

}  // namespace
}  // namespace ptq::runtime
