#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "ptq/data/image_set.h"
#include "ptq/passes/calibrate.h"
#include "ptq/quant/quantized_network.h"
#include "runtime/quantizer_variants.h"
#include "workflow/quantization.h"

namespace ptq::workflow {

/// What a network's answers lose against the float network's: mean divergence in nats, mean SQNR in
/// dB (ptq/bits.h).
struct AnswerLoss {
  double divergence = 0;
  double sqnr = 0;
};

/// Measures variants of one network on the first calibration images.
class LossMeter {
 public:
  /// Runs the float network. `network`, `images` and `context` outlive it.
  LossMeter(const QuantizedNetwork& network, const data::ImageSet& images, int64_t count,
            const Context& context);

  /// In the order of the variants; the number of threads changes no bit. `stage` names the
  /// progress.
  std::vector<AnswerLoss> measure(const std::string& stage, const runtime::QuantizerStates& base,
                                  const std::vector<runtime::QuantizerVariant>& variants) const;

  /// The images it measures on, in few at once.
  passes::NextBatch batches() const;
  int64_t images() const { return count_; }
  int64_t available() const { return images_.size(); }
  /// What one float evaluation of all calibration images takes.
  double evaluation_seconds() const { return evaluation_seconds_; }

 private:
  const QuantizedNetwork& network_;
  const data::ImageSet images_;
  const Context& context_;
  int64_t count_;
  /// [count, classes] float32.
  at::Tensor float_logits_;
  double evaluation_seconds_ = 0;
};

/// So many of `available` images that measuring the variants costs what this many float evaluations
/// of all of them do, counted in multiplications; in eights, at least 8.
int64_t images_for(const ir::Graph& graph, const std::vector<runtime::QuantizerVariant>& variants,
                   int64_t available, double evaluations);

}  // namespace ptq::workflow
