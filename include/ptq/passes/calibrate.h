#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <optional>

#include "ptq/ir/graph.h"
#include "ptq/quant/quantizer.h"

namespace ptq::passes {

/// Weight scales and zero points from the weights as they are now; frozen afterwards
/// (reference-behaviour 3.2).
/// Throws QuantizationError naming the layer if a weight is not finite.
void initialize_weight_scales(const ir::Graph& graph, quant::QuantizerTable& table);

struct CalibrationOptions {
  /// Percentile of |x| in percent, (0, 100] (reference-behaviour 3.5).
  double percentile = 99.999;
  int threads = 1;
  /// Run on the optimised plan, or node by node.
  bool compile = true;
  /// What the network computes in (runtime/executor.h); statistics are float32.
  at::ScalarType dtype = at::kFloat;
};

/// The next calibration batch, images [N, 3, H, W] float32, or nothing at the end.
using NextBatch = std::function<std::optional<at::Tensor>()>;

/// One float pass over the batches (two or three each for an MSE search); every activation scale
/// becomes the plain mean of its quantizers' per-batch statistics, every zero point that of its
/// own quantizer (reference-behaviour 3.5). Nothing to do, and no image taken, where all
/// activation scales are dynamic. Memory grows with (100 - percentile) % of a batch's activations,
/// not with the batch. Throws QuantizationError
/// naming the layer if a statistic is not finite, DataError if there was no batch.
void calibrate_activations(const ir::Graph& graph, quant::QuantizerTable& table,
                           const CalibrationOptions& options, const NextBatch& next_batch);

}  // namespace ptq::passes
