#pragma once

#include <ATen/core/Tensor.h>

/// Products of matrices of few long rows, on the calling thread: where there are very many of them
/// (depthwise convolutions), calling a general product for each takes longer than computing.
namespace ptq::passes {

/// sum += factor a bᵀ; `a`, `b` [rows, n] with rows one after the other, `sum` [rows, rows].
void add_small_product(at::Tensor& sum, const at::Tensor& a, const at::Tensor& b, float factor);

/// Sum of the squares of `weight` [out, rows] times `columns` [rows, n].
double small_energy(const at::Tensor& weight, const at::Tensor& columns);

double sum_of_squares(const float* values, int64_t count);

}  // namespace ptq::passes
