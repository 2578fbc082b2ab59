#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "ptq/passes/calibrate.h"
#include "ptq/passes/round_weights.h"
#include "workflow/quantization.h"

namespace ptq::workflow {

/// GPFQ and Qronos let each layer make up for the ones before it. Layers that do well one by one
/// can then do harm together, which does not show on the images that they were fitted to. So some
/// images take no part in the rounding, and judge the network that it makes.
class RoundingGuard {
 public:
  /// Keeps `share` of the images aside, evenly, and at most kMostImages.
  explicit RoundingGuard(double share) : share_(share) {}

  /// The batches without those; batches of which none are left are skipped.
  passes::NextBatch rest_of(const passes::NextBatch& all);

  /// Compares the logits of `network`, as the technique left it, and with its weights `before` the
  /// technique, with those of the float network, by each image's SQNR. Where the technique loses by
  /// more than chance explains (two standard errors of the mean difference), every layer gets its
  /// weight of `before` again, `report` says so, and so does a warning. `originals`: weights of the
  /// float network, where they are not those of `before`.
  void judge(QuantizedNetwork& network, const passes::OriginalWeights& before,
             const passes::OriginalWeights& originals, RoundingReport& report,
             const Context& context) const;

 private:
  static constexpr int64_t kMostImages = 64;

  double share_;
  /// Images to be kept aside by now that were not yet.
  double due_ = 0;
  int64_t count_ = 0;
  std::vector<at::Tensor> aside_;
};

}  // namespace ptq::workflow
