#pragma once

#include <ATen/core/Tensor.h>

#include "ptq/data/recipe.h"

namespace ptq::data {

/// uint8 [N, H, W, 3] to float32 [N, 3, H, W] in channels-last memory: (x / 255 - mean) / std, each
/// step rounded to float32, which is torchvision's ToTensor and Normalize bit for bit. Runs on
/// LibTorch's threads.
at::Tensor normalize(const at::Tensor& pixels, const Recipe& recipe);
/// The same in the memory of `rows`, which is allocated where it has another size: for batches of
/// which each is done before the next begins.
at::Tensor normalize(const at::Tensor& pixels, const Recipe& recipe, at::Tensor& rows);

}  // namespace ptq::data
