#include "backends/layer_placement.h"

#include "ptq/base/error.h"

namespace ptq::backends {
namespace {

/// Groups lie along input channels, channels along output channels.
int64_t weight_axis(const ir::Node& node, quant::Granularity granularity) {
  const int64_t output_channels = ir::output_channel_axis(node.op);
  return granularity == quant::Granularity::kPerGroup ? 1 - output_channels : output_channels;
}

quant::NumberFormat weight_format(const WeightOptions& options, const LayerFormats& formats) {
  quant::NumberFormat format = formats.weight.value_or(options.format);
  if (auto* integer = std::get_if<quant::IntegerFormat>(&format)) {
    integer->is_signed = options.symmetry == quant::Symmetry::kSymmetric;
  }
  return format;
}

quant::Quantizer weight_quantizer(const Draft& draft, const ir::Node& node,
                                  const LayerFormats& formats) {
  const WeightOptions& options = draft.options.weights;
  quant::Quantizer quantizer;
  quantizer.kind = quant::QuantizerKind::kWeight;
  quantizer.layer = node.name;
  quantizer.format = weight_format(options, formats);
  quantizer.symmetry = options.symmetry;
  quantizer.granularity = options.granularity;
  quantizer.scale_type = options.scale_type;
  quantizer.calibration = options.calibration;
  quantizer.axis = weight_axis(node, options.granularity);
  quantizer.group_size = draft.options.group_size;
  return quantizer;
}

quant::Quantizer bias_quantizer(const ir::Node& node, int bit_width) {
  quant::Quantizer quantizer;
  quantizer.kind = quant::QuantizerKind::kBias;
  quantizer.layer = node.name;
  quantizer.format = quant::IntegerFormat{bit_width, true, false};
  return quantizer;
}

bool is_integer(const quant::NumberFormat& format) {
  return std::holds_alternative<quant::IntegerFormat>(format);
}

bool has_bias_scale(const PlacementOptions& options, const LayerFormats& formats) {
  const auto& activations = options.activations;
  return activations && can_share_scales(*activations) &&
         is_integer(formats.activation.value_or(activations->format)) &&
         is_integer(formats.weight.value_or(options.weights.format)) &&
         options.weights.granularity != quant::Granularity::kPerGroup;
}

void check_axis(const ir::Node& node, quant::Granularity granularity) {
  const auto* transposed = node.as<ir::ConvTranspose>();
  if (transposed == nullptr || transposed->groups == 1) return;
  if (granularity != quant::Granularity::kPerChannel) return;
  throw QuantizationError(node.name +
                          ": a grouped transposed convolution cannot be quantized per channel");
}

}  // namespace

bool is_quantized_layer(const ir::Node& node) {
  const ir::Weighted* layer = ir::weighted(node.op);
  return layer != nullptr && layer->weight.value.dim() <= 4;
}

void add_layer_quantizers(Draft& draft, ir::Node& node, const LayerFormats& formats) {
  const PlacementOptions& options = draft.options;
  check_axis(node, options.weights.granularity);
  ir::Weighted& layer = *ir::weighted(node.op);
  layer.weight_quantizer = draft.table.add(weight_quantizer(draft, node, formats));
  if (options.bias_bit_width && has_bias_scale(options, formats)) {
    layer.bias_quantizer = draft.table.add(bias_quantizer(node, *options.bias_bit_width));
  }
}

}  // namespace ptq::backends
