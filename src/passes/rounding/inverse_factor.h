#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

namespace ptq::passes {

/// The upper triangular U with a positive diagonal for which Uᵀ U is the inverse of `matrix`
/// (symmetric, float64, [n, n]); nothing if it is not positive definite. Neither the inverse nor a
/// second factorization is needed: with the order of rows and columns turned round, `matrix` is
/// Rᵀ R, and U is R^-T turned round.
std::optional<at::Tensor> inverse_factor(const at::Tensor& matrix);

}  // namespace ptq::passes
