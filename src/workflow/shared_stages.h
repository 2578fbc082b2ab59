#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/content_cache.h"
#include "eval/evaluate.h"
#include "passes/activation_scales.h"
#include "passes/correct_biases.h"
#include "passes/pipeline.h"
#include "ptq/base/log.h"
#include "ptq/data/image_set.h"
#include "workflow/function.h"
#include "workflow/kept.h"
#include "workflow/quantization.h"

namespace ptq::workflow {

struct PreparedGraph {
  ir::Graph graph;
  std::vector<passes::PassReport> passes;
  std::vector<FunctionRow> function;
  std::optional<passes::EqualizationReport> equalization;
  std::optional<passes::SplittingReport> splitting;
};
struct EqualizedGraph {
  ir::Graph graph;
  std::vector<FunctionRow> function;
  std::optional<passes::ActivationEqualizationReport> report;
};
struct CalibratedActivations {
  passes::ActivationScales scales;
  int64_t images = 0;
};
struct RoundedWeights {
  RoundingReport report;
  passes::OriginalWeights weights;
};

/// A Session's contents. Graphs share their tensors with copies, which is fine: passes replace
/// tensors and never write into them (ptq/ir/tensors.h).
struct SharedStages {
  Session::Runs runs = Session::Runs::kOne;
  /// What earlier processes made; may be null.
  std::shared_ptr<ContentCache> cache;
  std::vector<Announced> announced;
  Kept<data::ImageSet> calibration_images, validation_images;
  /// Calibration images of all draws.
  Kept<std::shared_ptr<data::CropStore>> calibration_crops;
  Kept<ir::Graph> imported;
  Kept<eval::Evaluation> float_evaluation;
  Kept<std::optional<Relu6Choice>> relu6;
  Kept<PreparedGraph> prepared;
  Kept<EqualizedGraph> equalized;
  KeptAll<CalibratedActivations> activations;
  KeptAll<passes::LayerInputMeans> input_means;
  /// Of techniques that see no quantizer of an activation or bias.
  Kept<RoundedWeights> rounded;
};

/// What an earlier run kept under `key`, with its warnings, or what `make()` gives.
template <class Shelf, class Make>
auto shared(Session& session, RecordingLog& log, Shelf& shelf, const std::string& key,
            Make&& make) {
  if (session.stages().runs == Session::Runs::kOne) return make();
  if (const auto* kept = shelf.find(key)) {
    log.warnings.insert(log.warnings.end(), kept->warnings.begin(), kept->warnings.end());
    return kept->value;
  }
  shelf.clear_unless(key);
  const auto before = static_cast<std::ptrdiff_t>(log.warnings.size());
  auto made = make();
  shelf.put(key, {made, {log.warnings.begin() + before, log.warnings.end()}});
  return made;
}

}  // namespace ptq::workflow
