#include "models/hand_defined.h"
#include "passes/pipeline.h"
#include "workflow/quantization.h"
#include "workflow/technique_stages.h"

namespace ptq::workflow {
namespace {

template <class Size>
quant::NumberFormat format(NumberKind kind, const Size& size) {
  if (kind == NumberKind::kInteger) return quant::IntegerFormat{size.bit_width, true, false};
  quant::MinifloatFormat minifloat;
  minifloat.exponent_bit_width = size.exponent_bit_width;
  minifloat.mantissa_bit_width = size.mantissa_bit_width;
  minifloat.codes = kind == NumberKind::kOcpMinifloat ? quant::MinifloatFormat::Codes::kOcp
                                                      : quant::MinifloatFormat::Codes::kAllFinite;
  return minifloat;
}

void set_narrow_range(quant::NumberFormat& format, bool narrow_range) {
  if (auto* integers = std::get_if<quant::IntegerFormat>(&format)) {
    integers->narrow_range = narrow_range;
  }
}

backends::WeightOptions weights(const QuantizeConfig& config) {
  backends::WeightOptions options;
  options.format = format(config.numbers, config.weights);
  set_narrow_range(options.format, config.weights.narrow_range);
  options.symmetry = config.weights.symmetry;
  options.granularity = config.weights.granularity;
  options.scale_type = config.scale_type;
  options.calibration = config.weights.calibration;
  return options;
}

backends::ActivationOptions activations(const QuantizeConfig& config,
                                        const ActivationConfig& chosen) {
  backends::ActivationOptions options;
  options.format = format(config.numbers, chosen);
  options.symmetry = chosen.symmetry;
  options.granularity = chosen.granularity;
  options.scale_type = config.scale_type;
  options.calibration = chosen.calibration;
  options.timing = chosen.timing;
  options.unsigned_values = chosen.unsigned_values;
  return options;
}

}  // namespace

backends::PlacementOptions placement_options(const QuantizeConfig& config) {
  backends::PlacementOptions options;
  options.weights = weights(config);
  options.activations.reset();
  options.bias_bit_width.reset();
  if (config.activations) {
    options.activations = activations(config, *config.activations);
    options.bias_bit_width = config.bias_bit_width;
  }
  if (config.backend == Backend::kLayerwise) {
    const quant::NumberFormat first_last = format(config.numbers, config.first_last);
    options.first_last = {first_last, first_last};
    set_narrow_range(*options.first_last.weight, config.weights.narrow_range);
  }
  options.overrides = config.layer_bits;
  options.residual_adds = config.residual_adds;
  options.group_size = config.group_size;
  return options;
}

/// flexml merges batch norms unless they are calibrated (reference-contract 4.2).
passes::PreparationOptions preparation_options(const QuantizeConfig& config) {
  const bool is_flexml = config.backend == Backend::kFlexml;
  passes::PreparationOptions options;
  options.relu6 = config.relu6 == Relu6Rule::kKeep ? passes::Relu6::kKeep : passes::Relu6::kRelu;
  options.merge_batch_norm = is_flexml ? !config.calibrate_batch_norms : config.merge_batch_norms;
  options.preparation = is_flexml ? passes::Preparation::kFlexml : passes::Preparation::kDefault;
  options.equalization.iterations = config.equalization.iterations;
  options.equalization.merge_bias =
      config.equalization.merge_bias ? passes::MergeBias::kYes : passes::MergeBias::kNo;
  options.equalization.clamps = clamps_of(config);
  options.splitting.ratio = config.splitting.ratio;
  options.splitting.side = config.splitting.side;
  return options;
}

passes::Clamps clamps_of(const QuantizeConfig& config) {
  return config.weights.granularity == quant::Granularity::kPerTensor ? passes::Clamps::kPass
                                                                      : passes::Clamps::kEnd;
}

std::optional<QuantizedNetwork> defined_by_hand(const ir::Graph& imported,
                                                const QuantizeConfig& config) {
  const auto* by_hand = models::find_hand_defined(config.hand_defined);
  if (by_hand == nullptr) return std::nullopt;
  models::HandDefinedOptions options;
  options.weight_bit_width = config.weights.bit_width;
  options.act_bit_width = config.activations->bit_width;
  options.image_size = image_size(imported);
  options.float_network = &imported;
  return by_hand->build(models::weights_of(imported), options);
}

int64_t image_size(const ir::Graph& graph) {
  return graph.values.at(static_cast<size_t>(graph.input)).shape.back().value;
}

// Equalization and splitting change no operation and cost time.
QuantizedNetwork placed_network(const ir::Graph& imported, const QuantizeConfig& config) {
  if (auto by_hand = defined_by_hand(imported, config)) return std::move(*by_hand);
  ir::Graph graph = imported;
  passes::PreparationOptions preparation = preparation_options(config);
  preparation.equalization.iterations = 0;
  preparation.splitting.ratio = 0;
  passes::prepare(graph, preparation);
  return backends::place(config.backend, std::move(graph), placement_options(config));
}

}  // namespace ptq::workflow
