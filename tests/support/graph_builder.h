#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "ptq/quant/quantized_network.h"
#include "runtime/execute_op.h"

namespace ptq::testing {

/// Integers from -`bound` to `bound`, the same for the same seed: sums of products of these are
/// exact in float32 whatever their order.
inline at::Tensor integers(const std::vector<int64_t>& sizes, int bound, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_int_distribution<int> pick(-bound, bound);
  at::Tensor tensor = at::zeros(sizes);
  float* data = tensor.data_ptr<float>();
  for (int64_t i = 0; i < tensor.numel(); ++i) data[i] = static_cast<float>(pick(random));
  return tensor;
}

/// Normally distributed numbers, the same for the same seed.
inline at::Tensor normals(const std::vector<int64_t>& sizes, float deviation, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> pick(0, deviation);
  at::Tensor tensor = at::zeros(sizes);
  float* data = tensor.data_ptr<float>();
  for (int64_t i = 0; i < tensor.numel(); ++i) data[i] = pick(random);
  return tensor;
}

/// Builds small graphs node by node. Shapes come from running each operation for one image and for
/// two. Weights are normals, or integers where asked for. It is the network built so far.
class GraphBuilder : public QuantizedNetwork {
 public:
  using ValueId = ir::ValueId;
  enum class Weights { kNormal, kInteger };

  explicit GraphBuilder(std::vector<int64_t> image = {3, 8, 8}, Weights weights = Weights::kNormal)
      : weights_(weights) {
    std::vector<int64_t> one{1}, two{2};
    one.insert(one.end(), image.begin(), image.end());
    two.insert(two.end(), image.begin(), image.end());
    graph.input = keep("images", at::zeros(one), at::zeros(two));
  }

  ValueId input() const { return graph.input; }
  /// Extents of a value for one image.
  std::vector<int64_t> sizes(ValueId value) const {
    return samples_.at(id(value)).first.sizes().vec();
  }
  int64_t channels(ValueId value) const { return sizes(value).at(1); }

  ValueId add(ir::Op op, const std::vector<ValueId>& inputs, std::string name = "") {
    if (name.empty()) name = std::string(ir::op_name(op));
    name = graph.unique_name(name);
    std::vector<at::Tensor> first, second;
    for (const ValueId input : inputs) {
      first.push_back(samples_.at(id(input)).first);
      second.push_back(samples_.at(id(input)).second);
    }
    const ValueId out =
        keep(name, runtime::execute_op(op, first, 1), runtime::execute_op(op, second, 2));
    graph.nodes.push_back({name, name, std::move(op), inputs, {out}});
    return out;
  }

  struct ConvOptions {
    int64_t kernel = 3, stride = 1, padding = 1, groups = 1, dilation = 1;
    bool bias = true;
  };
  ValueId conv(ValueId in, int64_t out_channels) { return conv(in, out_channels, ConvOptions{}); }
  ValueId conv(ValueId in, int64_t out_channels, ConvOptions options) {
    ir::Conv op;
    op.stride = {options.stride, options.stride};
    op.padding = {options.padding, options.padding};
    op.dilation = {options.dilation, options.dilation};
    op.groups = options.groups;
    op.weight =
        weight({out_channels, channels(in) / options.groups, options.kernel, options.kernel});
    if (options.bias) op.bias = weight({out_channels});
    return add(op, {in}, "conv");
  }

  ValueId linear(ValueId in, int64_t out_features) {
    ir::Linear op;
    op.weight = weight({out_features, sizes(in).back()});
    op.bias = weight({out_features});
    return add(op, {in}, "linear");
  }

  ValueId batch_norm(ValueId in) {
    ir::BatchNorm op;
    op.weight = ir::Parameter{"weight", normals({channels(in)}, 1, ++seed_)};
    op.bias = ir::Parameter{"bias", normals({channels(in)}, 1, ++seed_)};
    op.running_mean = {"running_mean", normals({channels(in)}, 1, ++seed_)};
    op.running_var = {"running_var", normals({channels(in)}, 1, ++seed_).abs().add(0.5)};
    return add(op, {in}, "batch_norm");
  }

  ValueId flatten(ValueId in) {
    const int64_t features = samples_.at(id(in)).first.numel();
    return add(ir::Reshape{{{1, true}, {features, false}}}, {in}, "flatten");
  }

  ValueId constant(const at::Tensor& value) { return add(ir::Constant{{"constant", value}}, {}); }

  ir::QuantizerId activation_quantizer(double scale, bool is_signed = true, int bit_width = 8) {
    quant::Quantizer quantizer;
    quantizer.layer = "activation";
    quantizer.format = quant::IntegerFormat{bit_width, is_signed, false};
    const ir::QuantizerId added = table.add(quantizer);
    table.scale_of(added).value = scalar(scale);
    return added;
  }

  ValueId fake_quantize(ValueId in, double scale, bool is_signed = true, int bit_width = 8) {
    return fake_quantize_with(in, activation_quantizer(scale, is_signed, bit_width));
  }
  ValueId fake_quantize_with(ValueId in, ir::QuantizerId quantizer) {
    return add(ir::FakeQuantize{quantizer}, {in}, "fake_quantize");
  }

  /// Gives the weight of the node that makes `value` an 8-bit per-tensor quantizer.
  void quantize_weight(ValueId value, double scale) {
    for (ir::Node& node : graph.nodes) {
      if (node.output() != value) continue;
      quant::Quantizer quantizer;
      quantizer.kind = quant::QuantizerKind::kWeight;
      quantizer.layer = node.name;
      ir::weighted(node.op)->weight_quantizer = table.add(quantizer);
      table.scale_of(ir::weighted(node.op)->weight_quantizer).value = scalar(scale);
    }
  }

  /// `output` becomes the graph's, flattened to [N, features] if need be.
  ir::Graph finish(ValueId output) {
    graph.output = sizes(output).size() == 2 ? output : flatten(output);
    ir::verify(graph);
    return graph;
  }

  ir::Parameter weight(const std::vector<int64_t>& sizes) {
    ++seed_;
    return {"weight", weights_ == Weights::kInteger ? integers(sizes, 2, seed_)
                                                    : normals(sizes, 0.3F, seed_)};
  }

 private:
  static size_t id(ValueId value) { return static_cast<size_t>(value); }
  static at::Tensor scalar(double value) { return at::zeros({}).fill_(value); }

  /// A value with the extents of its samples for one image and for two.
  ValueId keep(const std::string& name, const at::Tensor& one, const at::Tensor& two) {
    ir::Dims shape;
    for (int64_t dim = 0; dim < one.dim(); ++dim) {
      shape.push_back({one.size(dim), one.size(dim) != two.size(dim)});
    }
    samples_.emplace_back(one, two);
    return graph.add_value(name, shape);
  }

  Weights weights_;
  unsigned seed_ = 0;
  std::vector<std::pair<at::Tensor, at::Tensor>> samples_;
};

}  // namespace ptq::testing
