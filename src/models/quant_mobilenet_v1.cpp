#include "models/quant_mobilenet_v1.h"

#include "models/float_layers.h"
#include "ptq/base/error.h"

namespace ptq::models {
namespace {

using quant::Granularity;
using Quantized = Network::Quantized;

constexpr double kEps = 1e-5;
constexpr int kFirstLayerBitWidth = 8;
constexpr int64_t kPoolKernel = 7;
/// Units of each stage. All stages but the first begin with a stride of 2.
constexpr int kUnits[] = {1, 2, 2, 6, 2};
constexpr int kStages = sizeof(kUnits) / sizeof(kUnits[0]);

class MobileNetV1 {
 public:
  MobileNetV1(const Weights& weights, const HandDefinedOptions& options)
      : network_("quant_mobilenet_v1", weights, options.image_size),
        options_(options),
        float_layers_(options.float_network) {}

  QuantizedNetwork build() && {
    const Network::ConvShape first{2, 0, 1};
    Quantized x = block("features.init_block", network_.input(), first, kFirstLayerBitWidth,
                        Granularity::kPerChannel);
    for (int stage = 1; stage <= kStages; ++stage) x = add_stage(stage, x);
    x = network_.truncating_avg_pool("features.final_pool", x, kPoolKernel);
    ir::Reshape flatten{{ir::Dim{1, true}, ir::Dim{network_.channels(x.value), false}}};
    const ir::ValueId flat = network_.add("flatten", std::move(flatten), {x.value});
    const ir::ValueId logits = network_.linear(
        "output", flat, weight_quantizer(options_.weight_bit_width, Granularity::kPerTensor));
    return std::move(network_).finish(logits);
  }

 private:
  Quantized block(const std::string& name, ir::ValueId in, const Network::ConvShape& shape,
                  int weight_bit_width, Granularity of_output) {
    ir::ValueId x = padded_conv(name + ".conv", in, shape,
                                weight_quantizer(weight_bit_width, Granularity::kPerChannel));
    x = network_.batch_norm(name + ".bn", x, float_layers_.eps(name + ".bn", kEps));
    x = network_.add(name + ".activation", float_layers_.activation(name + ".bn"), {x});
    return network_.quantize(name + ".activation", x,
                             unsigned_quantizer(options_.act_bit_width, of_output));
  }

  /// Padded as the float network pads it: by itself, or by zeros put around before. Zeros are codes
  /// of the quantizer above.
  ir::ValueId padded_conv(const std::string& layer, ir::ValueId in, Network::ConvShape shape,
                          const quant::Quantizer& of_weight) {
    if (const FloatLayers::Padding* padding = float_layers_.padding(layer)) {
      const ir::Ints& both = padding->symmetric;
      if (both.size() != 2 || both[0] != both[1]) {
        throw ImportError(layer +
                          " pads height and width apart, which quant_mobilenet_v1 does not");
      }
      shape.padding = both[0];
      if (padding->zeros) in = network_.add(layer + ".pad", *padding->zeros, {in});
    }
    return network_.conv(layer, in, shape, of_weight);
  }

  Quantized add_stage(int stage, Quantized x) {
    const Granularity of_pointwise =
        stage < kStages ? Granularity::kPerChannel : Granularity::kPerTensor;
    for (int unit = 1; unit <= kUnits[stage - 1]; ++unit) {
      const std::string name =
          "features.stage" + std::to_string(stage) + ".unit" + std::to_string(unit);
      const int64_t stride = stage > 1 && unit == 1 ? 2 : 1;
      x = block(name + ".dw_conv", x.value, {stride, 1, network_.channels(x.value)},
                options_.weight_bit_width, Granularity::kPerTensor);
      x = block(name + ".pw_conv", x.value, {1, 0, 1}, options_.weight_bit_width, of_pointwise);
    }
    return x;
  }

  Network network_;
  const HandDefinedOptions& options_;
  FloatLayers float_layers_;
};

}  // namespace

QuantizedNetwork quant_mobilenet_v1(const Weights& weights, const HandDefinedOptions& options) {
  return MobileNetV1(weights, options).build();
}

}  // namespace ptq::models
