#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <cstdint>

/// The tensors of reference-contract A, exact in float32.
namespace ptq::quant::testing {

/// A.1: W[4, 6, 3, 3].
inline at::Tensor weight_a1() {
  at::Tensor weight = at::empty({4, 6, 3, 3});
  float* out = weight.data_ptr<float>();
  for (int i = 0; i < 4 * 54; ++i) {
    const auto base = static_cast<float>((37 * i + 11) % 101 - 50) / 64.0F;
    out[i] = base * static_cast<float>(i / 54 + 1) / 4.0F;
  }
  return weight;
}

/// A.2: calibration batch t.
inline at::Tensor batch_a2(int t) {
  at::Tensor batch = at::empty({t == 2 ? 1 : 2, 3, 4, 4});
  float* out = batch.data_ptr<float>();
  for (int i = 0; i < batch.numel(); ++i) {
    out[i] = static_cast<float>((53 * i + 29 * t) % 97 - 40) / 32.0F *
             (static_cast<float>(t + 1) / 2.0F);
  }
  return batch;
}

}  // namespace ptq::quant::testing
