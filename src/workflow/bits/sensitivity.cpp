#include "workflow/bits/sensitivity.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "base/text.h"
#include "base/threads.h"
#include "eval/divergence.h"
#include "passes/bits/second_order.h"

namespace ptq {
namespace {

using quant::QuantizerKind;

/// `work()` as a stage, and how long it took.
template <class Work>
auto measured(Log& log, const std::string& stage, double& seconds, Work&& work) {
  const auto start = std::chrono::steady_clock::now();
  auto made = timed(log, stage, work);
  seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return made;
}

std::vector<runtime::QuantizerVariant> variants_of(const workflow::BitCandidates& candidates) {
  std::vector<runtime::QuantizerVariant> variants;
  for (const auto& point : workflow::points_of(candidates)) {
    variants.push_back(candidates.variant(point.group, point.bits));
  }
  return variants;
}

std::set<int> widths(const Sensitivity& sensitivity, QuantizerKind kind) {
  std::set<int> found;
  for (const SensitivityRow& row : sensitivity.rows) {
    if (row.kind == kind) found.insert(row.bits);
  }
  return found;
}

std::string correlation_line(const Sensitivity& sensitivity, QuantizerKind kind) {
  const bool is_weight = kind == QuantizerKind::kWeight;
  const auto all = rank_correlation(sensitivity, kind);
  if (!all) return "";
  std::string line = std::string("  rank correlation of estimate and measurement, ") +
                     (is_weight ? "weights" : "activations") + ": " + fixed(*all, 3);
  for (const int bits : widths(sensitivity, kind)) {
    const auto one = rank_correlation(sensitivity, kind, bits);
    if (one)
      line += std::string(is_weight ? ", W" : ", A") + std::to_string(bits) + " " + fixed(*one, 3);
  }
  return line;
}

runtime::Execution in_use(const runtime::Execution& execution) {
  const runtime::Execution exact = runtime::resolved(execution);
  set_intra_op_threads(exact.threads);
  return exact;
}

}  // namespace

std::optional<double> rank_correlation(const Sensitivity& sensitivity, QuantizerKind kind,
                                       std::optional<int> bits) {
  std::vector<double> measured, estimated;
  for (const SensitivityRow& row : sensitivity.rows) {
    if (row.kind != kind || (bits && row.bits != *bits)) continue;
    measured.push_back(row.divergence);
    estimated.push_back(row.estimate);
  }
  if (measured.size() < 3) return std::nullopt;
  return eval::rank_correlation(measured, estimated);
}

Sensitivity measure_sensitivity(const ir::Graph& graph, const QuantizeConfig& config,
                                const data::ImageSet& images, const SensitivityOptions& options,
                                const runtime::Execution& execution) {
  const workflow::QuietMeasurement quiet(graph, config, images, options, execution);
  return workflow::measure_sensitivity(quiet.candidates, quiet.meter, config, quiet.context);
}

namespace workflow {

std::vector<SensitivityPoint> points_of(const BitCandidates& candidates) {
  std::vector<SensitivityPoint> points;
  for (size_t group = 0; group < candidates.groups.size(); ++group) {
    for (const int bits : candidates.groups[group].bits) points.push_back({group, bits});
  }
  return points;
}

int64_t sensitivity_images(const BitCandidates& candidates, const SensitivityOptions& options,
                           const data::ImageSet& images) {
  constexpr double kEvaluations = 20;
  if (options.images) return std::min(*options.images, images.size());
  return images_for(candidates.network.graph, variants_of(candidates), images.size(), kEvaluations);
}

Sensitivity measure_sensitivity(const BitCandidates& candidates, const LossMeter& meter,
                                const QuantizeConfig& config, const Context& context) {
  const std::vector<runtime::QuantizerVariant> variants = variants_of(candidates);
  Sensitivity made;
  made.images = meter.images();
  made.calibration_images = meter.available();
  made.evaluation_seconds = meter.evaluation_seconds();
  const std::vector<AnswerLoss> losses =
      measured(context.log, "sensitivity", made.exact_seconds, [&] {
        return meter.measure("sensitivity",
                             runtime::all_quantizers(candidates.network.table, false), variants);
      });
  const std::vector<double> estimates =
      measured(context.log, "sensitivity estimate", made.estimate_seconds, [&] {
        return passes::second_order_losses(candidates.network.graph, variants, config.seed,
                                           context.execution, meter.batches());
      });
  const std::vector<SensitivityPoint> points = points_of(candidates);
  for (size_t i = 0; i < points.size(); ++i) {
    const passes::BitGroup& group = candidates.groups[points[i].group].group;
    made.rows.push_back({group.kind, group.name, group.layers, points[i].bits, losses[i].divergence,
                         estimates[i], losses[i].sqnr});
  }
  return made;
}

QuietMeasurement::QuietMeasurement(const ir::Graph& graph, const QuantizeConfig& config,
                                   const data::ImageSet& images, const SensitivityOptions& options,
                                   const runtime::Execution& execution)
    : log_(silence_),
      context{in_use(execution), log_, session_},
      candidates(bit_candidates(graph, config, options.candidates, images, context)),
      meter(candidates.network, images, sensitivity_images(candidates, options, images), context) {}

std::vector<std::string> sensitivity_lines(const Sensitivity& sensitivity) {
  const double evaluation = std::max(sensitivity.evaluation_seconds, 1e-9);
  std::vector<std::string> lines = {
      "sensitivity: " + std::to_string(sensitivity.rows.size()) + " rows on " +
      std::to_string(sensitivity.images) + " of " + std::to_string(sensitivity.calibration_images) +
      " calibration images; measured in " + fixed(sensitivity.exact_seconds, 1) + " s, " +
      fixed(sensitivity.exact_seconds / evaluation, 1) +
      " times a float evaluation of all of them, estimated in " +
      fixed(sensitivity.estimate_seconds, 1) + " s"};
  for (const QuantizerKind kind : {QuantizerKind::kWeight, QuantizerKind::kActivation}) {
    const std::string line = correlation_line(sensitivity, kind);
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

}  // namespace workflow
}  // namespace ptq
