#include "passes/rounding/inverse_factor.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <tuple>

#include "passes/rounding/double_products.h"
#include "support/graph_builder.h"

namespace ptq::passes {
namespace {

using ptq::testing::normals;

Matrix matrix_of(const at::Tensor& tensor) {
  return {tensor.data_ptr<double>(), tensor.size(0), tensor.size(1), tensor.stride(0)};
}

TEST(DoubleProducts, AreThoseOfMatrices) {
  for (const auto& [m, k, n] : {std::tuple{1, 1, 1}, {5, 300, 33}, {64, 17, 100}, {7, 512, 16}}) {
    const at::Tensor a = normals({m, k}, 1, 1).to(at::kDouble);
    const at::Tensor b = normals({k, n}, 1, 2).to(at::kDouble);
    const at::Tensor c = at::ones({m, n}, at::kDouble);
    add_product(matrix_of(c), matrix_of(a), matrix_of(b), -2);
    EXPECT_TRUE(at::allclose(c, at::matmul(a, b).mul(-2).add(1), 1e-12, 1e-12));
  }
}

TEST(InverseFactor, IsUpperAndGivesTheInverse) {
  for (const int64_t size : {1, 2, 63, 64, 65, 130, 300}) {
    const at::Tensor x = normals({size, size + 10}, 1, 3).to(at::kDouble);
    const at::Tensor matrix = at::matmul(x, x.t()).add(at::eye(size, at::kDouble));
    const auto u = inverse_factor(matrix);
    ASSERT_TRUE(u.has_value());
    EXPECT_TRUE(at::equal(*u, u->triu()));
    EXPECT_TRUE(u->diagonal().gt(0).all().item<bool>());
    const at::Tensor identity = at::matmul(at::matmul(u->t(), *u), matrix);
    EXPECT_TRUE(at::allclose(identity, at::eye(size, at::kDouble), 1e-8, 1e-8)) << size;
  }
}

TEST(InverseFactor, RefusesWhatIsNotPositiveDefinite) {
  EXPECT_FALSE(inverse_factor(at::zeros({3, 3}, at::kDouble)));
  at::Tensor indefinite = at::eye(100, at::kDouble);
  indefinite[70][70] = -1;
  EXPECT_FALSE(inverse_factor(indefinite));
  indefinite[70][70] = std::nan("");
  EXPECT_FALSE(inverse_factor(indefinite));
}

}  // namespace
}  // namespace ptq::passes
