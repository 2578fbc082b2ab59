#include "base/ordered_sum.h"

#include <ATen/TensorIterator.h>

#include <algorithm>

namespace ptq {

double ordered_sum(const at::Tensor& values) {
  // LibTorch adds fewer elements than its grain on the calling thread.
  constexpr int64_t kAtOnce = at::internal::GRAIN_SIZE / 2;
  const at::Tensor flat = values.reshape(-1);
  double sum = 0;
  for (int64_t begin = 0; begin < flat.numel(); begin += kAtOnce) {
    const int64_t count = std::min(kAtOnce, flat.numel() - begin);
    sum += flat.narrow(0, begin, count).sum(at::kDouble).item<double>();
  }
  return sum;
}

double sum_of_products(const at::Tensor& a, const at::Tensor& b) { return ordered_sum(a.mul(b)); }

}  // namespace ptq
