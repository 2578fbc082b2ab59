#pragma once

#include <ATen/core/Tensor.h>

namespace ptq::runtime {

/// c = alpha * a b + beta * c, in place, for float32 matrices with one stride of 1 each; c is
/// row-major in its last dimension. Over all cores OpenMP gives, through oneDNN: LibTorch's own
/// products are as slow as the BLAS it was linked with. The sums' order, and so every bit, depends
/// on the sizes, not on the number of threads. Throws InternalError if the sizes differ.
void add_product(at::Tensor& c, const at::Tensor& a, const at::Tensor& b, float alpha = 1,
                 float beta = 1);

/// a b, float32 [m, k] times [k, n].
at::Tensor product(const at::Tensor& a, const at::Tensor& b);

}  // namespace ptq::runtime
