#include "ptq/backends/placement.h"

#include "backends/fx.h"
#include "backends/layer_placement.h"
#include "ptq/base/error.h"

namespace ptq::backends {
namespace {

quant::Quantizer weight_quantizer(const ir::Node& node, const PlacementOptions& options) {
  quant::Quantizer quantizer;
  quantizer.kind = quant::QuantizerKind::kWeight;
  quantizer.layer = node.name;
  quantizer.format = {options.weight_bit_width, true, options.weight_narrow_range};
  quantizer.granularity = options.weight_granularity;
  quantizer.axis = ir::output_channel_axis(node.op);
  quantizer.statistic = quant::Statistic::kAbsMax;
  return quantizer;
}

quant::Quantizer bias_quantizer(const ir::Node& node, int bit_width) {
  quant::Quantizer quantizer;
  quantizer.kind = quant::QuantizerKind::kBias;
  quantizer.layer = node.name;
  quantizer.format = {bit_width, true, false};
  return quantizer;
}

}  // namespace

void add_layer_quantizers(quant::QuantizerTable& table, ir::Node& node,
                          const PlacementOptions& options) {
  const auto* transposed = node.as<ir::ConvTranspose>();
  if (transposed != nullptr && transposed->groups > 1 &&
      options.weight_granularity == quant::Granularity::kPerChannel) {
    throw QuantizationError(node.name +
                            ": a grouped transposed convolution cannot be quantized per channel");
  }
  ir::Weighted& layer = *ir::weighted(node.op);
  layer.weight_quantizer = table.add(weight_quantizer(node, options));
  if (options.bias_bit_width) {
    layer.bias_quantizer = table.add(bias_quantizer(node, *options.bias_bit_width));
  }
}

quant::QuantizerTable place(Backend backend, ir::Graph& graph, const PlacementOptions& options) {
  switch (backend) {
    case Backend::kFx:
      return place_fx(graph, options);
  }
  throw InternalError("unknown backend");
}

}  // namespace ptq::backends
