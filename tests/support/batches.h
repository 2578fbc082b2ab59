#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace ptq::testing {

/// These images [N, C, H, W], batch by batch, as calibration (passes::NextBatch) and other
/// measurements take them.
inline std::function<std::optional<at::Tensor>()> batches_of(std::vector<at::Tensor> batches) {
  return [batches = std::move(batches), next = size_t{0}]() mutable -> std::optional<at::Tensor> {
    if (next == batches.size()) return std::nullopt;
    return batches[next++];
  };
}

}  // namespace ptq::testing
