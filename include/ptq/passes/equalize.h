#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

#include "ptq/ir/graph.h"
#include "ptq/passes/calibrate.h"
#include "ptq/passes/region_reports.h"
#include "ptq/runtime/execution.h"

/// Equalization moves scale from channel to channel without changing the network: what makes the
/// channels of a value leaves them times k > 0, what reads them expects them so, and everything
/// between passes a positive factor through (reference-contract 6.4, 6.5; Nagel et al. 2019,
/// https://arxiv.org/abs/1906.04721, section 4.1).
namespace ptq::passes {

/// Whether the biases of the layers that make a value count towards its range.
enum class MergeBias { kNo, kYes };

struct EqualizationReport {
  /// r[c] is the largest |weight| that makes channel c (biases left out).
  std::vector<EqualizedRegion> regions;
  /// Layers and normalizations whose weights changed.
  int layers = 0;
  /// Iterations run; the last one is counted.
  int iterations = 0;
  /// Whether the last iteration moved every channel by less than 5 %.
  bool converged = false;
  /// The largest over regions.
  double range_ratio_before = 1;
  double range_ratio_after = 1;
  std::vector<RejectedRegion> rejected;
};

/// Whether factors pass through ReLU6, hardtanh and clamps, whose bounds are then scaled by
/// channel. Behind a clamp all channels reach equally far, which factors undo: weights that share a
/// scale gain more than that costs, those with a scale per channel do not (results/relu6.md).
enum class Clamps { kPass, kEnd };

struct EqualizationOptions {
  /// At most; 0 leaves the network as it is.
  int iterations = 0;
  MergeBias merge_bias = MergeBias::kYes;
  /// Told what the pass of the preparation did, where set.
  std::function<void(const EqualizationReport&)> on_report;
  Clamps clamps = Clamps::kPass;
};

/// Cross-layer equalization of weights, float32. A network that is equalized already (the first
/// iteration would move no channel by 5 %) is left as it is.
EqualizationReport equalize_graph(ir::Graph& graph, const EqualizationOptions& options);

/// kGraph: scales move from activations into the layers that make them, in the regions of
/// equalize_graph. kLayerwise: a multiplication in front of every layer evens its input out against
/// its weight; the layers before are left alone.
enum class ActivationEqualization { kGraph, kLayerwise };

struct ActivationEqualizationOptions {
  ActivationEqualization mode = ActivationEqualization::kGraph;
  /// k = r_weight^(1 - alpha) / r_activation^alpha, in [0, 1].
  double alpha = 0.5;
  /// How the float network runs; with a number of threads, not 0 (runtime::resolved).
  runtime::Execution execution = {1};
};

struct ActivationEqualizationReport {
  /// kLayerwise: one a layer, without sources. r[c] is the largest |x| of channel c over all images
  /// and readers, and that times k[c].
  std::vector<EqualizedRegion> regions;
  /// Layers and normalizations whose weights changed.
  int layers = 0;
  /// The largest over regions.
  double range_ratio_before = 1;
  double range_ratio_after = 1;
  std::vector<RejectedRegion> rejected;
};

/// One float pass over the batches gives the largest |x| of every channel of every layer's input;
/// then weights are scaled once, and in kLayerwise a constant and a multiplication are put before
/// each layer. For graphs without quantizers. Memory grows with channels, not with images. Throws
/// DataError if there was no batch, QuantizationError naming the layer if its input is not finite.
ActivationEqualizationReport equalize_activations(ir::Graph& graph,
                                                  const ActivationEqualizationOptions& options,
                                                  const NextBatch& next_batch);

}  // namespace ptq::passes
