#include "models/network.h"

#include <ATen/ops/zeros.h>

#include <cmath>

#include "base/first_sentence.h"
#include "ptq/base/error.h"
#include "ptq/ir/tensors.h"
#include "runtime/execute_op.h"

namespace ptq::models {
namespace {

/// Shape of `sample`, one image's value, at any batch.
ir::Dims dims_of(const at::Tensor& sample) {
  ir::Dims dims{{1, true}};
  for (int64_t i = 1; i < sample.dim(); ++i) dims.push_back({sample.size(i), false});
  return dims;
}

/// Bits that the mean of `count` codes needs more than a code: those of the largest sum, less the
/// code's own.
int bits_to_drop(int bit_width, int64_t count) {
  const double largest = (std::ldexp(1.0, bit_width) - 1) * static_cast<double>(count);
  return static_cast<int>(std::ceil(std::log2(largest))) - bit_width;
}

}  // namespace

Weights weights_of(const ir::Graph& graph) {
  Weights weights;
  for (ir::Node node : graph.nodes) {
    ir::visit_parameters(
        node.op, [&](const ir::Parameter& found) { weights.emplace(found.name, found.value); });
  }
  return weights;
}

quant::Quantizer weight_quantizer(int bit_width, quant::Granularity granularity) {
  quant::Quantizer quantizer;
  quantizer.kind = quant::QuantizerKind::kWeight;
  quantizer.format = quant::IntegerFormat{bit_width, true, true};
  quantizer.granularity = granularity;
  return quantizer;
}

quant::Quantizer unsigned_quantizer(int bit_width, quant::Granularity granularity) {
  quant::Quantizer quantizer;
  quantizer.format = quant::IntegerFormat{bit_width, false, false};
  quantizer.granularity = granularity;
  quantizer.axis = 1;
  return quantizer;
}

Network::Network(std::string name, const Weights& weights, int64_t image_size)
    : name_(std::move(name)), weights_(weights) {
  samples_.push_back(at::zeros({1, 3, image_size, image_size}));
  network_.graph.input = network_.graph.add_value("input", dims_of(samples_.front()));
}

ir::Parameter Network::parameter(const std::string& name) {
  const auto found = weights_.find(name);
  if (found == weights_.end()) {
    throw ImportError("the float model has no " + name + ", which " + name_ + " needs");
  }
  used_[name] = true;
  return {name, found->second};
}

Network::ValueId Network::add(const std::string& name, ir::Op op,
                              const std::vector<ValueId>& inputs) {
  std::vector<at::Tensor> samples;
  for (const ValueId input : inputs) samples.push_back(samples_.at(static_cast<size_t>(input)));
  try {
    samples_.push_back(runtime::execute_op(op, samples, 1));
  } catch (const c10::Error& error) {
    throw ImportError(name_ + ": " + name + " does not fit its input: " + first_sentence(error));
  }
  ir::Node node{name, name, std::move(op), inputs, {}};
  ir::Graph& graph = network_.graph;
  return graph.insert(graph.nodes.end(), std::move(node), dims_of(samples_.back())).output();
}

Network::ValueId Network::conv(const std::string& layer, ValueId in, const ConvShape& shape,
                               const quant::Quantizer& of_weight) {
  ir::Conv conv;
  conv.weight = parameter(layer + ".weight");
  conv.stride = {shape.stride, shape.stride};
  conv.padding = {shape.padding, shape.padding};
  conv.dilation = {1, 1};
  conv.groups = shape.groups;
  quant::Quantizer quantizer = of_weight;
  quantizer.layer = layer;
  conv.weight_quantizer = network_.table.add(std::move(quantizer));
  return add(layer, std::move(conv), {in});
}

Network::ValueId Network::batch_norm(const std::string& layer, ValueId in, double eps) {
  ir::BatchNorm norm;
  norm.weight = parameter(layer + ".weight");
  norm.bias = parameter(layer + ".bias");
  norm.running_mean = parameter(layer + ".running_mean");
  norm.running_var = parameter(layer + ".running_var");
  norm.eps = eps;
  return add(layer, std::move(norm), {in});
}

Network::ValueId Network::linear(const std::string& layer, ValueId in,
                                 const quant::Quantizer& of_weight) {
  ir::Linear linear;
  linear.weight = parameter(layer + ".weight");
  linear.bias = parameter(layer + ".bias");
  quant::Quantizer quantizer = of_weight;
  quantizer.layer = layer;
  linear.weight_quantizer = network_.table.add(std::move(quantizer));
  quant::Quantizer of_bias;
  of_bias.kind = quant::QuantizerKind::kBias;
  of_bias.layer = layer;
  of_bias.format = quant::IntegerFormat{32, true, false};
  linear.bias_quantizer = network_.table.add(std::move(of_bias));
  return add(layer, std::move(linear), {in});
}

Network::Quantized Network::fake_quantize(const std::string& layer, ValueId in,
                                          ir::QuantizerId quantizer) {
  return {add(layer + ".quant", ir::FakeQuantize{quantizer}, {in}), quantizer};
}

Network::Quantized Network::quantize(const std::string& layer, ValueId in,
                                     quant::Quantizer quantizer) {
  quantizer.layer = layer;
  return fake_quantize(layer, in, network_.table.add(std::move(quantizer)));
}

Network::Quantized Network::quantize_as(const std::string& layer, ValueId in,
                                        quant::Quantizer quantizer, ir::QuantizerId other) {
  quantizer.layer = layer;
  return fake_quantize(layer, in, network_.table.add_sharing_scale(std::move(quantizer), other));
}

Network::Quantized Network::truncating_avg_pool(const std::string& layer, const Quantized& in,
                                                int64_t kernel) {
  ir::AvgPool pool;
  pool.kernel = {kernel, kernel};
  pool.stride = {1, 1};
  pool.padding = {0, 0};
  const ValueId mean = add(layer, std::move(pool), {in.value});
  quant::Quantizer quantizer = network_.table.at(in.quantizer);
  const int64_t count = kernel * kernel;
  quantizer.truncation = quant::Truncation{in.quantizer, count,
                                           bits_to_drop(quant::bit_width(quantizer.format), count)};
  return quantize(layer, mean, std::move(quantizer));
}

int64_t Network::channels(ValueId value) const {
  return samples_.at(static_cast<size_t>(value)).size(1);
}

QuantizedNetwork Network::finish(ValueId output) && {
  for (const auto& weight : weights_) {
    if (used_.count(weight.first) == 0) {
      throw ImportError("the float model has " + weight.first + ", which " + name_ +
                        " does not know");
    }
  }
  network_.graph.output = output;
  ir::verify(network_.graph);
  return std::move(network_);
}

}  // namespace ptq::models
