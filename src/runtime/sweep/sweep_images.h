#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "runtime/sweep/activation_store.h"

namespace ptq::runtime {

/// Images that go through the network together: enough to feed the kernels, few enough to spread
/// over lanes.
inline constexpr int64_t kImagesAtOnce = 8;

/// Images in few at once, and the batches that they were cut from, counted from 0.
struct SweepImages {
  std::vector<ActivationStore::Handle> batches;
  std::vector<int64_t> sources;
};

/// All that `next_batch` gives. Throws DataError if that is nothing.
SweepImages take_images(const ActivationStore& store, int64_t at_once,
                        const std::function<std::optional<at::Tensor>()>& next_batch);

}  // namespace ptq::runtime
