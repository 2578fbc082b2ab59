#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ptq/ir/graph.h"
#include "ptq/quant/quantized_network.h"
#include "ptq/quant/quantizer.h"

/// Networks written down operation by operation, with quantizers where their author wants them
/// (docs/hand-defined-networks.md).
namespace ptq::models {

/// Float tensors by the names they have in the module they come from.
using Weights = std::map<std::string, at::Tensor>;

/// All weights, biases and statistics of a network.
Weights weights_of(const ir::Graph& graph);

using ptq::QuantizedNetwork;

/// A signed weight without its most negative code; one scale, or one an output channel.
quant::Quantizer weight_quantizer(int bit_width, quant::Granularity granularity);
/// Of values that are never negative; one scale, or one a channel (dimension 1).
quant::Quantizer unsigned_quantizer(int bit_width, quant::Granularity granularity);

/// Builds a QuantizedNetwork whose scales are not known yet. Layers take their tensors from
/// `weights` by name: <layer>.weight, <layer>.bias, and of a batch norm <layer>.running_mean and
/// .running_var.
class Network {
 public:
  using ValueId = ir::ValueId;

  /// `name` is that of the network, for errors. Images are [N, 3, image_size, image_size].
  Network(std::string name, const Weights& weights, int64_t image_size);

  ValueId input() const { return network_.graph.input; }

  struct ConvShape {
    int64_t stride = 1;
    int64_t padding = 0;
    int64_t groups = 1;
  };
  /// Square kernel; channels and kernel size are those of the weight. Without bias, as a batch norm
  /// follows.
  ValueId conv(const std::string& layer, ValueId in, const ConvShape& shape,
               const quant::Quantizer& of_weight);
  ValueId batch_norm(const std::string& layer, ValueId in, double eps);
  /// With an int32 bias at the scale of its input times that of its weight.
  ValueId linear(const std::string& layer, ValueId in, const quant::Quantizer& of_weight);

  /// Any other operation, named `name`; its output's shape is found by running it. Throws
  /// ImportError naming it if it does not fit its inputs.
  ValueId add(const std::string& name, ir::Op op, const std::vector<ValueId>& inputs);

  struct Quantized {
    ValueId value = 0;
    ir::QuantizerId quantizer = ir::kNoQuantizer;
  };
  /// Fake quantization of `in`, the output of `layer`, with a scale of its own.
  Quantized quantize(const std::string& layer, ValueId in, quant::Quantizer quantizer);
  /// The same with the scale of `other`: values that meet in an add or a concat.
  Quantized quantize_as(const std::string& layer, ValueId in, quant::Quantizer quantizer,
                        ir::QuantizerId other);

  /// Mean over windows of kernel x kernel codes of `in`, truncated to as many bits as these have
  /// (reference-contract 9; quant::Truncation).
  Quantized truncating_avg_pool(const std::string& layer, const Quantized& in, int64_t kernel);

  int64_t channels(ValueId value) const;

  /// The network with this output. Throws ImportError naming a weight that nothing used: another
  /// network's weights.
  QuantizedNetwork finish(ValueId output) &&;

 private:
  ir::Parameter parameter(const std::string& name);
  Quantized fake_quantize(const std::string& layer, ValueId in, ir::QuantizerId quantizer);

  std::string name_;
  const Weights& weights_;
  std::map<std::string, bool> used_;
  QuantizedNetwork network_;
  /// One image's worth of every value.
  std::vector<at::Tensor> samples_;
};

}  // namespace ptq::models
