#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "ptq/passes/calibrate.h"
#include "ptq/passes/round_weights.h"
#include "workflow/quantization.h"

namespace ptq::workflow {

/// GPFQ and Qronos let each layer make up for the ones before it, so that layers which do well one
/// by one can do harm together, and on images that they were fitted to nothing of it shows. So some
/// images take no part in the fit and judge the network.
class RoundingGuard {
 public:
  /// Keeps `share` of each batch aside, kMostImages in all.
  explicit RoundingGuard(double share) : share_(share) {}

  /// What is left of the batches.
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
  int64_t count_ = 0;
  std::vector<at::Tensor> aside_;
};

}  // namespace ptq::workflow
