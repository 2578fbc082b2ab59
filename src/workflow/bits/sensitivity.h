#pragma once

#include <cstddef>
#include <vector>

#include "ptq/bits.h"
#include "workflow/bits/candidates.h"
#include "workflow/bits/loss_meter.h"
#include "workflow/quantization.h"

namespace ptq::workflow {

/// What a row of a Sensitivity is of.
struct SensitivityPoint {
  size_t group = 0;
  int bits = 0;
};

/// Every group at every width that it can have, in the order of Sensitivity::rows.
std::vector<SensitivityPoint> points_of(const BitCandidates& candidates);

/// ptq::measure_sensitivity for candidates that are there. A stage of the log each for what is
/// measured and what is estimated.
Sensitivity measure_sensitivity(const BitCandidates& candidates, const LossMeter& meter,
                                const QuantizeConfig& config, const Context& context);

/// How many images `options` ask for.
int64_t sensitivity_images(const BitCandidates& candidates, const SensitivityOptions& options,
                           const data::ImageSet& images);

/// Candidates and their meter for a program that has neither log nor session (ptq/bits.h).
struct QuietMeasurement {
  /// `images` outlives it.
  QuietMeasurement(const ir::Graph& graph, const QuantizeConfig& config,
                   const data::ImageSet& images, const SensitivityOptions& options,
                   const runtime::Execution& execution);
  QuietMeasurement(const QuietMeasurement&) = delete;
  QuietMeasurement& operator=(const QuietMeasurement&) = delete;

 private:
  Silence silence_;
  RecordingLog log_;
  Session session_;

 public:
  const Context context;
  const BitCandidates candidates;
  const LossMeter meter;
};

/// "sensitivity: ..." for the log.
std::vector<std::string> sensitivity_lines(const Sensitivity& sensitivity);

}  // namespace ptq::workflow
