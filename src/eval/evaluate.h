#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "ptq/data/loader.h"
#include "ptq/data/recipe.h"
#include "ptq/eval/accuracy.h"
#include "ptq/runtime/executor.h"

namespace ptq::eval {

struct EvaluationOptions {
  data::Recipe recipe;
  int64_t batch_size = 256;
  /// Keep every image's logits; 4 bytes per image and class.
  bool keep_logits = false;
  at::Device device = at::kCPU;
};

/// What a network answered to each readable image, in the order of the loader.
struct Evaluation {
  /// Index of the image in its folder.
  std::vector<int64_t> items;
  std::vector<int64_t> predictions;
  std::vector<uint8_t> right;
  Accuracy accuracy;
  /// A hash of each image's logits, to tell equal from nearly equal without keeping them.
  std::vector<uint64_t> fingerprints;
  /// Images whose logits hold NaN or infinity.
  int64_t not_finite = 0;
  int64_t classes = 0;
  /// [N, classes] float32 if kept, else undefined.
  at::Tensor logits;
  /// Time in the network, without waiting for images; and that waiting.
  double network_seconds = 0;
  double waiting_seconds = 0;

  Answers answers() const { return {predictions, right}; }
};

/// Called after each batch with the images done so far.
using Progress = std::function<void(int64_t done)>;

/// Runs every image of a loader that was already started.
Evaluation evaluate(runtime::Executor& executor, data::Loader& loader,
                    const EvaluationOptions& options, const Progress& progress);

/// What a network that gave these logits, float32 [N, classes], answered: `items` of the folder.
/// Without times.
Evaluation evaluation_of(const at::Tensor& logits, const data::ImageFolder& folder,
                         const std::vector<int64_t>& items);

}  // namespace ptq::eval
