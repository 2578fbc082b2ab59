#pragma once

#include <memory>
#include <vector>

#include "cli/image_sets.h"
#include "cli/kept.h"
#include "ptq/cli/option_levels.h"
#include "ptq/cli/session.h"
#include "ptq/passes/activation_scales.h"
#include "ptq/passes/correct_biases.h"

namespace ptq::cli {

struct PreparedGraph {
  ir::Graph graph;
  std::vector<passes::PassReport> passes;
  std::optional<passes::EqualizationReport> equalization;
  std::optional<passes::SplittingReport> splitting;
};

struct EqualizedGraph {
  ir::Graph graph;
  std::optional<passes::ActivationEqualizationReport> report;
};

struct CalibratedActivations {
  passes::ActivationScales scales;
  int64_t images = 0;
};

/// A Session's contents. Graphs share their tensors with copies, which is fine: passes replace
/// tensors and never write into them (ptq/ir/tensors.h).
struct SharedStages {
  Session::Runs runs = Session::Runs::kOne;
  std::vector<Settings> announced;
  Kept<std::shared_ptr<OpenImages>> calibration_images, validation_images;
  /// Calibration images of all draws.
  Kept<std::shared_ptr<data::CropStore>> calibration_crops;
  Kept<ir::Graph> imported;
  Kept<eval::Evaluation> float_evaluation;
  Kept<PreparedGraph> prepared;
  Kept<EqualizedGraph> equalized;
  KeptAll<CalibratedActivations> activations;
  KeptAll<passes::LayerInputMeans> input_means;
};

/// What an earlier run kept under `key`, with its warnings, or what `make()` gives.
template <class Shelf, class Make>
auto shared(Run& run, Shelf& shelf, const std::string& key, Make&& make) {
  if (run.shared.runs == Session::Runs::kOne) return make();
  if (const auto* kept = shelf.find(key)) {
    auto& warnings = run.log.warnings;
    warnings.insert(warnings.end(), kept->warnings.begin(), kept->warnings.end());
    return kept->value;
  }
  shelf.clear_unless(key);
  const auto before = static_cast<std::ptrdiff_t>(run.log.warnings.size());
  auto made = make();
  const auto& warnings = run.log.warnings;
  shelf.put(key, {made, {warnings.begin() + before, warnings.end()}});
  return made;
}

}  // namespace ptq::cli
