#pragma once

#include <ATen/core/Tensor.h>

namespace ptq {

/// The sum of all elements, added in float64 and in an order that does not depend on the number of
/// threads: at::sum gives each thread a part of a large tensor, which moves the last digits.
double ordered_sum(const at::Tensor& values);

/// The ordered_sum of the products of two tensors' elements.
double sum_of_products(const at::Tensor& a, const at::Tensor& b);

}  // namespace ptq
