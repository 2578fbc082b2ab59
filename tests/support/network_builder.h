#pragma once

#include <string>
#include <utility>
#include <vector>

#include "support/graph_builder.h"

namespace ptq::testing {

/// GraphBuilder for tests that speak of nodes by name and module; the last operation added is the
/// output.
class NetworkBuilder {
 public:
  using ValueId = ir::ValueId;

  /// Shape of one image, without the batch.
  explicit NetworkBuilder(std::vector<int64_t> image) : builder_(std::move(image)) {
    builder_.graph.output = builder_.graph.input;
  }

  ValueId add(const std::string& name, ir::Op op, const std::vector<ValueId>& inputs,
              const std::string& module = "") {
    const ValueId output = builder_.add(std::move(op), inputs, name);
    builder_.graph.nodes.back().module = module;
    builder_.graph.output = output;
    return output;
  }

  struct ConvShape {
    int64_t out_channels = 4;
    int64_t kernel = 3;
    int64_t stride = 1;
    int64_t groups = 1;
    bool bias = true;
  };

  /// A "same" convolution over [N, C, H, W].
  ValueId conv(const std::string& name, ValueId input, const ConvShape& shape) {
    ir::Conv conv;
    const int64_t channels = builder_.channels(input) / shape.groups;
    conv.weight =
        parameter(name + ".weight", {shape.out_channels, channels, shape.kernel, shape.kernel});
    if (shape.bias) conv.bias = parameter(name + ".bias", {shape.out_channels});
    conv.stride = {shape.stride, shape.stride};
    conv.padding = {shape.kernel / 2, shape.kernel / 2};
    conv.dilation = {1, 1};
    conv.groups = shape.groups;
    return add(name, conv, {input});
  }

  ValueId linear(const std::string& name, ValueId input, int64_t out_features,
                 const std::string& module = "") {
    ir::Linear linear;
    linear.weight = parameter(name + ".weight", {out_features, builder_.sizes(input).back()});
    linear.bias = parameter(name + ".bias", {out_features});
    return add(name, linear, {input}, module);
  }

  ValueId batch_norm(const std::string& name, ValueId input, double eps = 1e-3) {
    const int64_t channels = builder_.channels(input);
    ir::BatchNorm norm;
    norm.weight = parameter(name + ".weight", {channels});
    norm.bias = parameter(name + ".bias", {channels});
    norm.running_mean = parameter(name + ".running_mean", {channels});
    norm.running_var = parameter(name + ".running_var", {channels});
    norm.running_var.value = norm.running_var.value.abs().add(0.5);
    norm.eps = eps;
    return add(name, norm, {input});
  }

  ValueId layer_norm(const std::string& name, ValueId input) {
    const int64_t features = builder_.sizes(input).back();
    ir::LayerNorm norm;
    norm.weight = parameter(name + ".weight", {features});
    norm.bias = parameter(name + ".bias", {features});
    norm.normalized_shape = {features};
    return add(name, norm, {input});
  }

  /// [N, a, b, ...] -> [N, extents...].
  ValueId reshape(const std::string& name, ValueId input, const std::vector<int64_t>& extents,
                  const std::string& module = "") {
    ir::Reshape reshape{{ir::Dim{1, true}}};
    for (int64_t extent : extents) reshape.shape.push_back({extent, false});
    return add(name, reshape, {input}, module);
  }

  ir::Parameter parameter(const std::string& name, const std::vector<int64_t>& sizes) {
    ir::Parameter result = builder_.weight(sizes);
    result.name = name;
    return result;
  }

  ValueId input() const { return builder_.input(); }
  const ir::Graph& graph() const { return builder_.graph; }

 private:
  GraphBuilder builder_;
};

}  // namespace ptq::testing
