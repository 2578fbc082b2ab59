#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "ptq/passes/calibrate.h"
#include "ptq/quant/quantized_network.h"
#include "ptq/runtime/execution.h"

namespace ptq::passes {

/// Whom the quantizer of a layer's input belongs to. kLayer (layerwise): the float layer that the
/// quantized one is compared with reads the input unquantized. kGraph (fx, flexml): both read the
/// quantized input, except for the output projection of a multi-head module, whose input quantizer
/// is its own there too.
enum class InputQuantizers { kGraph, kLayer };

struct BiasCorrectionOptions {
  InputQuantizers input_quantizers = InputQuantizers::kGraph;
  /// With a number of threads, not 0 (runtime::resolved). Means are float64 whatever the network
  /// computes in.
  runtime::Execution execution = {1};
  /// By layer: its weight as it was before a pass rounded it. Other layers have theirs.
  std::unordered_map<std::string, at::Tensor> original_weights;
};

struct BiasCorrection {
  int layers = 0;
  /// Layers that had no bias.
  int created = 0;
  /// Mean of |shift| over all output channels of all layers.
  double mean_shift = 0;
};

/// The mean of a layer's input by input channel and tap of its kernel
/// (passes/bias_correction/tap_means.h), and that of the quantized input where its quantizer is
/// part of the layer.
struct LayerInputMean {
  std::vector<double> plain;
  std::optional<std::vector<double>> quantized;
};
/// By name of the layer.
using LayerInputMeans = std::unordered_map<std::string, LayerInputMean>;

/// One pass over the images through a network with quantized activations and float layers, so that
/// no layer sees the error of another: the quantizers of weights and biases do not matter. Sums are
/// float64. Throws DataError if there was no batch.
LayerInputMeans mean_layer_inputs(QuantizedNetwork& network, const BiasCorrectionOptions& options,
                                  const NextBatch& next_batch);

/// Adds to the bias of every layer with a weight quantizer what quantizing it took from the mean of
/// its output (reference-contract 6.3):
///
///   bias += mean over batches of (mean(float output) - mean(quantized output))   by channel
///
/// Batches count alike whatever their size. A bias that is missing is created, and quantized where
/// the layer has a bias quantizer (section 10, row 56). Channels of a Linear are its last
/// dimension, whatever the rank (the reference takes the second one of four); nodes that share a
/// module are corrected each for itself. The shift follows from the means of layer inputs. Throws
/// QuantizationError naming the layer if a mean is not finite.
BiasCorrection correct_biases(QuantizedNetwork& network, const BiasCorrectionOptions& options,
                              const LayerInputMeans& means);

/// The same with the means of these images.
BiasCorrection correct_biases(QuantizedNetwork& network, const BiasCorrectionOptions& options,
                              const NextBatch& next_batch);

}  // namespace ptq::passes
