#include "support/random_layers.h"

#include <ATen/ops/ones.h>

#include <cmath>

namespace ptq::testing {

at::Tensor RandomLayers::disturbance(int64_t channels) {
  std::uniform_real_distribution<float> exponent(-3, 3);
  at::Tensor factors = at::ones({channels});
  float* data = factors.data_ptr<float>();
  for (int64_t i = 0; i < channels; ++i) data[i] = std::exp2(exponent(random_));
  return factors.div(factors.square().mean().sqrt());
}

ir::Parameter RandomLayers::parameter(const std::string& word, const at::Tensor& value) {
  return {"module" + std::to_string(modules_) + "." + word, value};
}

void RandomLayers::fill(ir::Weighted& layer, const std::vector<int64_t>& sizes, int64_t output_axis,
                        int64_t outputs, int64_t fan_in) {
  ++modules_;
  const at::Tensor factors = disturbance(outputs);
  std::vector<int64_t> along(sizes.size(), 1);
  along[static_cast<size_t>(output_axis)] = sizes[static_cast<size_t>(output_axis)];
  const float deviation = 1.2F / std::sqrt(static_cast<float>(fan_in));
  // A grouped transposed convolution has the outputs of one group along the axis.
  const at::Tensor by_row = factors.narrow(0, 0, along[static_cast<size_t>(output_axis)]);
  layer.weight = parameter("weight", normals(sizes, deviation, seed()).mul(by_row.view(along)));
  if (chance(0.7)) layer.bias = parameter("bias", normals({outputs}, 0.3F, seed()).mul(factors));
}

RandomLayers::Value RandomLayers::conv(Value x, int64_t out, Shape shape) {
  const int64_t in = channels(x) / shape.groups;
  ir::Conv op;
  op.stride = {shape.stride, shape.stride};
  op.padding = {shape.kernel / 2, shape.kernel / 2};
  op.dilation = {1, 1};
  op.groups = shape.groups;
  fill(op, {out, in, shape.kernel, shape.kernel}, 0, out, in * shape.kernel * shape.kernel);
  return add(op, {x});
}

RandomLayers::Value RandomLayers::transposed(Value x, int64_t out, int64_t groups) {
  ir::ConvTranspose op;
  op.stride = {2, 2};
  op.padding = op.output_padding = {0, 0};
  op.dilation = {1, 1};
  op.groups = groups;
  fill(op, {channels(x), out / groups, 2, 2}, 1, out, channels(x) / groups);
  return add(op, {x});
}

RandomLayers::Value RandomLayers::linear(Value x, int64_t out, const std::string& weight_name) {
  const int64_t in = builder_.sizes(x).back();
  ir::Linear op;
  fill(op, {out, in}, 0, out, in);
  op.weight.name = "module" + std::to_string(modules_) + "." + weight_name;
  return add(op, {x});
}

RandomLayers::Value RandomLayers::batch_norm(Value x) {
  ++modules_;
  const int64_t count = channels(x);
  ir::BatchNorm op;
  op.eps = chance(0.5) ? 1e-5 : 1e-3;
  if (chance(0.9)) {
    op.weight = parameter("weight", disturbance(count).mul(normals({count}, 1, seed()).sign()));
    op.bias = parameter("bias", normals({count}, 0.3F, seed()));
  }
  op.running_mean = parameter("running_mean", normals({count}, 0.3F, seed()));
  op.running_var = parameter("running_var", disturbance(count).add(0.3));
  return add(op, {x});
}

RandomLayers::Value RandomLayers::layer_norm(Value x) {
  ++modules_;
  const int64_t count = builder_.sizes(x).back();
  ir::LayerNorm op;
  op.normalized_shape = {count};
  if (chance(0.9)) {
    op.weight = parameter("weight", disturbance(count));
    op.bias = parameter("bias", normals({count}, 0.3F, seed()));
  }
  return add(op, {x});
}

RandomLayers::Value RandomLayers::activation(Value x) {
  switch (pick(0, 11)) {
    case 0:
      return add(ir::LeakyRelu{0.1}, {x});
    case 1:
      return add(ir::Gelu{}, {x});
    case 2:
      return add(ir::Silu{}, {x});
    case 3:
      return add(ir::Hardswish{}, {x});
    case 4:
      return add(ir::Relu6{}, {x});
    case 5:
      return x;
    default:
      return add(ir::Relu{}, {x});
  }
}

RandomLayers::Value RandomLayers::layer(Value x, int64_t out, Shape shape) {
  x = conv(x, out, shape);
  if (chance(0.6)) x = batch_norm(x);
  return chance(0.85) ? activation(x) : x;
}

RandomLayers::Value RandomLayers::again(Value x) {
  for (const ir::Node& node : builder_.graph.nodes) {
    if (node.output() == x) return add(ir::Op(node.op), {x});
  }
  return x;
}

RandomLayers::Value RandomLayers::constant(const std::vector<int64_t>& sizes) {
  ++modules_;
  return add(ir::Constant{parameter("constant", normals(sizes, 0.5F, seed()))}, {});
}

}  // namespace ptq::testing
