#pragma once

#include <optional>
#include <string>

#include "cli/image_sets.h"
#include "cli/stage.h"

namespace ptq::cli {

/// Accuracy after each stage of quantization (--attribute), on the validation images against the
/// float network. Asked for nothing, it costs nothing.
class Attribution {
 public:
  /// `run` and `images` outlive it.
  Attribution(Run& run, ImageSets& images) : run_(run), images_(images) {}

  bool is_on() const { return run_.config.attribute; }

  /// Adds a row to the result for the network as it is behind `stage`; before the first one, a row
  /// for preparation: the same network in float, against the one that was imported.
  void row(const std::string& stage, const QuantizedNetwork& network);

  /// Of the finished network: that of the last row, or a new one where there are no rows.
  eval::Evaluation evaluation(const QuantizedNetwork& network);

 private:
  void preparation_row(const QuantizedNetwork& network);
  void add(const std::string& stage, eval::Evaluation now);

  Run& run_;
  ImageSets& images_;
  std::optional<eval::Evaluation> last_;
};

}  // namespace ptq::cli
