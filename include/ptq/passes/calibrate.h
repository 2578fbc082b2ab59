#pragma once

#include <ATen/core/Tensor.h>

#include <exception>
#include <functional>
#include <optional>
#include <vector>

#include "ptq/quant/quantized_network.h"
#include "ptq/runtime/execution.h"

namespace ptq::passes {

/// Weight scales and zero points from the weights as they are now; frozen afterwards
/// (reference-contract 3.2).
/// Throws QuantizationError naming the layer if a weight is not finite.
void initialize_weight_scales(QuantizedNetwork& network);

struct CalibrationOptions {
  /// Percentile of |x| in percent, (0, 100] (reference-contract 3.5).
  double percentile = 99.999;
  /// With a number of threads, not 0 (runtime::resolved). Statistics are float32 whatever the
  /// network computes in.
  runtime::Execution execution = {1};
};

/// The next calibration batch, images [N, 3, H, W] float32, or nothing at the end.
using NextBatch = std::function<std::optional<at::Tensor>()>;

/// One float pass over the batches (two or three each for an MSE search); every activation scale
/// becomes the plain mean of its quantizers' per-batch statistics, every zero point that of its
/// own quantizer (reference-contract 3.5). Nothing to do, and no image taken, where all
/// activation scales are dynamic. Memory grows with (100 - percentile) % of a batch's activations,
/// not with the batch. Throws QuantizationError
/// naming the layer if a statistic is not finite, DataError if there was no batch.
void calibrate_activations(QuantizedNetwork& network, const CalibrationOptions& options,
                           const NextBatch& next_batch);

/// One of several ways to quantize the activations of one placed graph.
struct ActivationCalibration {
  quant::QuantizerTable table;
  /// In place of CalibrationOptions::percentile.
  double percentile = 99.999;
  /// A statistic was not finite: what calibrating this table alone would have thrown. The table has
  /// no scales then.
  std::exception_ptr failure = nullptr;
};

/// Calibrates all of them by the same passes over the batches: each gets the scales that it would
/// have got alone, bit for bit. Throws DataError if there was no batch.
void calibrate_activations(const ir::Graph& graph, std::vector<ActivationCalibration>& all,
                           const CalibrationOptions& options, const NextBatch& next_batch);

}  // namespace ptq::passes
