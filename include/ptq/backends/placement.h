#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ptq/quant/quantized_network.h"

/// Backends decide where a prepared graph is quantized, and nothing else.
namespace ptq::backends {

/// kFlexml places like kFx: what differs is the preparation (passes/pipeline.h).
enum class Backend { kFx, kLayerwise, kFlexml };

struct WeightOptions {
  quant::NumberFormat format = quant::IntegerFormat{};
  quant::Symmetry symmetry = quant::Symmetry::kSymmetric;
  quant::Granularity granularity = quant::Granularity::kPerTensor;
  quant::ScaleType scale_type = quant::ScaleType::kFloat;
  quant::Calibration calibration = quant::Calibration::kStatistics;
};

struct ActivationOptions {
  /// Whether an integer format is signed is decided at each place.
  quant::NumberFormat format = quant::IntegerFormat{};
  quant::Symmetry symmetry = quant::Symmetry::kSymmetric;
  quant::Granularity granularity = quant::Granularity::kPerTensor;
  quant::ScaleType scale_type = quant::ScaleType::kFloat;
  quant::Calibration calibration = quant::Calibration::kStatistics;
  quant::Timing timing = quant::Timing::kStatic;
  /// Unsigned codes at outputs of ReLU, sigmoid and softmax (integers of kFx and kFlexml, and
  /// attention weights everywhere).
  bool unsigned_values = true;
};

/// Formats of some layers' weights and inputs instead of the usual ones.
struct LayerFormats {
  std::optional<quant::NumberFormat> weight, activation;
};

/// Bit widths for layers whose name a regular expression finds (anywhere in the name). Activation
/// bits go to the quantizer that feeds the layer and, where it shares a scale (kFx, kFlexml), to
/// all that share it.
struct LayerOverride {
  std::string pattern;
  std::optional<int> weight_bit_width, act_bit_width;
};

/// In what a residual add works (kFx, kFlexml): any sum of two values that both depend on the
/// images, outside attentions. kQuantized: operands share a scale, and so does the sum with what it
/// is added to next (reference-contract 5.2). A shared scale is the mean of what its values need,
/// so that one large value is clipped and many small ones vanish. kWide: each operand and sum has
/// 16 bits and a scale of its own, with room for four times what its statistic says. kFloat:
/// neither is quantized. In both, layers that read the sum quantize it themselves as they do any
/// input.
enum class ResidualAdds { kQuantized, kWide, kFloat };

struct PlacementOptions {
  WeightOptions weights;
  /// None: only weights are quantized, biases are not.
  std::optional<ActivationOptions> activations = ActivationOptions{};
  /// 32, 16, or none: biases stay float.
  std::optional<int> bias_bit_width = 32;
  /// kLayerwise: convolutions of 3 input channels, linear layers of 1000 outputs
  /// (reference-contract 5.5).
  LayerFormats first_last;
  /// The last that matches a layer counts, whole; where layers read one shared scale, the last of
  /// theirs. They go over `first_last`.
  std::vector<LayerOverride> overrides;
  int64_t group_size = 32;
  ResidualAdds residual_adds = ResidualAdds::kQuantized;
};

/// `graph` with FakeQuantize nodes and layer quantizers, scales still undefined. Throws
/// QuantizationError naming the layer for a grouped transposed convolution per channel, and
/// ConfigError naming a pattern of `overrides` that is not a regular expression, matches no layer,
/// or asks for activation bits where `activations` is none, or for bits of minifloats.
QuantizedNetwork place(Backend backend, ir::Graph graph, const PlacementOptions& options);

}  // namespace ptq::backends
