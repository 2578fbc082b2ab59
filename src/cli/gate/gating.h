#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/stage.h"
#include "eval/predictions.h"

namespace ptq::cli {

/// A run's answers image by image: compared with those of an earlier run, and kept for a later one.
class Gating {
 public:
  /// Reads the baseline and hashes model and validation images, as far as the run is asked to.
  /// Throws DataError if the baseline is of other images, before the work that would be in vain.
  Gating(Run& run, const data::Loader& validation);

  /// Once the quantized network was evaluated and the guards were asked: the verdict, and its
  /// files.
  void finish(Run& run) const;

 private:
  void judge(Run& run, const eval::Predictions& now) const;

  const data::Loader& validation_;
  std::optional<eval::Predictions> baseline_;
  std::string model_hash_;
  /// By item of the folder; no entries where nobody needs them.
  std::vector<std::string> image_hashes_;
};

}  // namespace ptq::cli
