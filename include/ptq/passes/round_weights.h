#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "ptq/passes/calibrate.h"
#include "ptq/quant/quantized_network.h"

namespace ptq::passes {

/// Techniques that choose the codes of a layer's weight from the inputs it gets, instead of
/// rounding each weight to the nearest.
enum class RoundingTechnique { kGptq, kGpfq, kQronos };

struct AccumulatorOptions {
  int bit_width = 32;
  /// Products that one accumulator adds; none: all of an output's.
  std::optional<int64_t> tile_size;
};

/// A layer, and what was wrong with its output on the calibration images before and after: the
/// sum of the squared differences to its float output over the sum of the squares of that, biases
/// aside. The float output is that of the float weight on the same inputs (GPTQ), or on inputs from
/// the float network (GPFQ, Qronos).
struct RoundedLayer {
  std::string name;
  /// With the weight rounded to the nearest codes.
  double error_before = 0;
  double error_after = 0;
  /// Why the layer was left as it was; empty where it was not.
  std::string left = "";
};

struct RoundingOptions {
  RoundingTechnique technique = RoundingTechnique::kGptq;
  /// Columns with large inputs first.
  bool act_order = false;
  /// GPTQ: whether activations and biases are quantized on the way. The others always do.
  bool quantize_activations = false;
  /// GPFQ: part of the input's columns that is used, drawn evenly at random.
  double input_fraction = 1;
  /// Qronos: part of the largest eigenvalue of a layer's Hessian that is added to its diagonal. The
  /// paper's 1e-6 lets a layer with few different inputs overfit them.
  double qronos_damping = 1e-6;
  /// Codes are held to what an accumulator can take (AXE): GPTQ and GPFQ, integers with one scale
  /// an output channel, quantized activations.
  std::optional<AccumulatorOptions> accumulator;
  /// Part of the images kept aside, evenly, up to one half: a layer for which the technique, tried
  /// without these, finds codes that do worse on them than the nearest ones is left at the nearest.
  /// Others are rounded with all images. Off with 0, for few images (batches of eight are kept
  /// aside whole), with an accumulator and with an input_fraction below 1.
  double held_out = 0;
  int threads = 1;
  int64_t memory_bytes = int64_t{4} << 30;
  /// Picks the layers that are rounded, of those with a weight quantizer; all where empty.
  std::function<bool(const ir::Node&)> rounds = {};
  /// Called after each layer, with how many are done and how many there are.
  std::function<void(const RoundedLayer&, int64_t done, int64_t total)> on_layer = {};
};

/// Weights by layer as they were before the first technique changed them.
using OriginalWeights = std::unordered_map<std::string, at::Tensor>;

/// Treats layers with a weight quantizer in execution order, in one sweep over the images
/// (runtime/layer_sweep.h; reference-contract 6.6 to 6.9 and 6.13). A layer's weight becomes real
/// numbers whose rounding at the frozen scales is the result. GPFQ and Qronos aim at the outputs of
/// `originals`, where a layer stands in it. Transposed convolutions are treated like any layer (in
/// the reference these techniques do not reach them, section 10, row 19). A layer whose error GPTQ
/// would make larger gets the nearest codes, unless an accumulator asks for the change.
///
/// Throws QuantizationError naming the layer if its inputs are not finite, or if an accumulator is
/// given and its inputs are not integers; DataError if there was no batch.
std::vector<RoundedLayer> round_weights(QuantizedNetwork& network, const RoundingOptions& options,
                                        const OriginalWeights& originals,
                                        const NextBatch& next_batch);

/// The weights of all layers that have a quantizer.
OriginalWeights weights_of(const ir::Graph& graph);
/// Gives layers that have a quantizer their weights of `weights`; all of them are there.
void set_weights(ir::Graph& graph, const OriginalWeights& weights);

}  // namespace ptq::passes
