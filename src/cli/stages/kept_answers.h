#pragma once

#include <optional>
#include <string>

#include "cli/stages/evaluation_stage.h"
#include "ptq/quant/quantized_network.h"

namespace ptq::cli {

/// The answers of one network to one set of images in the run's cache.
class KeptAnswers {
 public:
  /// Without a cache, and where something else than the contents decides the answers (a device, a
  /// file that cannot be read), nothing is ever found or kept.
  KeptAnswers(Run& run, const EvaluationStage& stage, const QuantizedNetwork& network,
              const data::ImageSet& images);

  bool are_wanted() const { return !key_.empty(); }
  /// As evaluating gives them, without times; with logits.
  std::optional<eval::Evaluation> find() const;
  /// `evaluation` holds logits.
  void keep(const eval::Evaluation& evaluation) const;

 private:
  ContentCache* const cache_;
  data::ImageSet images_;
  std::string key_;
};

}  // namespace ptq::cli
