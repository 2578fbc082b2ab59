#include <algorithm>
#include <numeric>

#include "import/lowerings.h"
#include "import/step_writer.h"

namespace ptq::import {
namespace {

/// One number stands for all dimensions.
ir::Ints spread(ir::Ints values, size_t count) {
  if (values.size() == 1) values.resize(count, values.front());
  return values;
}

void set_weights(ir::Weighted& layer, const at::Tensor& weight, const at::Tensor& bias,
                 const Recorder& recorder) {
  layer.weight = recorder.parameter(weight, "weight");
  if (bias.defined()) layer.bias = recorder.parameter(bias, "bias");
}

bool is_constant(const at::Tensor& tensor, const Recorder& recorder) {
  return !tensor.defined() || !recorder.follows(tensor);
}

bool is_layer(const Call& call, const Recorder& recorder) {
  return is_constant(call.tensor("weight"), recorder) &&
         is_constant(call.optional_tensor("bias"), recorder) &&
         recorder.follows(call.tensor("input"));
}

/// What "same" padding puts before and after each spatial dimension.
struct SamePadding {
  ir::Ints before, extra_after;
  bool symmetric() const {
    return std::all_of(extra_after.begin(), extra_after.end(), [](int64_t x) { return x == 0; });
  }
};

SamePadding same_padding(const at::Tensor& weight, const ir::Ints& dilation) {
  SamePadding padding;
  for (size_t i = 0; i < dilation.size(); ++i) {
    const int64_t total = dilation[i] * (weight.size(static_cast<int64_t>(i) + 2) - 1);
    padding.before.push_back(total / 2);
    padding.extra_after.push_back(total % 2);
  }
  return padding;
}

/// Zeros behind each spatial dimension, as a node of its own; pairs count from the last dimension.
ir::ValueId append_padding(const Call& call, Recorder& recorder, const ir::Ints& after) {
  const at::Tensor input = call.tensor("input");
  auto shape = input.sizes().vec();
  ir::Dims pairs;
  for (size_t i = after.size(); i-- > 0;) {
    pairs.push_back({0, false});
    pairs.push_back({after[i], false});
    shape[i + 2] += after[i];
  }
  ir::Opaque pad{"aten::constant_pad_nd", "", {ir::InputRef{0}, pairs, 0.0}};
  return recorder.append(std::move(pad), {recorder.read(input)}, shape, "pad");
}

Lowered append_conv(const Call& call, Recorder& recorder, ir::Conv conv, ir::ValueId input) {
  return {recorder.append(std::move(conv), {input}, call.result().sizes(), call.name)};
}

Lowered lower_conv(const Call& call, Recorder& recorder) {
  const at::Tensor weight = call.tensor("weight");
  const at::Tensor input = call.tensor("input");
  if (!is_layer(call, recorder) || input.dim() != weight.dim()) return {};
  const auto spatial = static_cast<size_t>(weight.dim() - 2);
  ir::Conv conv;
  set_weights(conv, weight, call.optional_tensor("bias"), recorder);
  conv.stride = spread(call.integers("stride"), spatial);
  conv.dilation = spread(call.integers("dilation"), spatial);
  conv.groups = call.integer("groups");
  conv.padding = ir::Ints(spatial, 0);
  const c10::IValue& padding = call.argument("padding");
  if (!padding.isString()) {
    conv.padding = spread(call.integers("padding"), spatial);
  } else if (padding.toStringRef() == "same") {
    const SamePadding same = same_padding(weight, conv.dilation);
    conv.padding = same.before;
    if (!same.symmetric()) {
      return append_conv(call, recorder, conv, append_padding(call, recorder, same.extra_after));
    }
  }
  return append_conv(call, recorder, conv, recorder.read(input));
}

Lowered lower_conv_transpose(const Call& call, Recorder& recorder) {
  const at::Tensor weight = call.tensor("weight");
  if (!is_layer(call, recorder) || call.tensor("input").dim() != weight.dim()) return {};
  const auto spatial = static_cast<size_t>(weight.dim() - 2);
  ir::ConvTranspose conv;
  set_weights(conv, weight, call.optional_tensor("bias"), recorder);
  conv.stride = spread(call.integers("stride"), spatial);
  conv.padding = spread(call.integers("padding"), spatial);
  conv.output_padding = spread(call.integers("output_padding"), spatial);
  conv.dilation = spread(call.integers("dilation"), spatial);
  conv.groups = call.integer("groups");
  return lower_to(call, recorder, std::move(conv), call.tensor("input"));
}

/// Traced modules say whether they are transposed by an argument.
Lowered lower_any_convolution(const Call& call, Recorder& recorder) {
  return call.flag("transposed") ? lower_conv_transpose(call, recorder)
                                 : lower_conv(call, recorder);
}

Lowered append_linear(const Call& call, Recorder& recorder, const at::Tensor& input,
                      const at::Tensor& weight, const at::Tensor& bias) {
  ir::Linear linear;
  set_weights(linear, weight, bias, recorder);
  return lower_to(call, recorder, std::move(linear), input);
}

Lowered lower_linear(const Call& call, Recorder& recorder) {
  if (!is_layer(call, recorder) || call.tensor("weight").dim() != 2) return {};
  return append_linear(call, recorder, call.tensor("input"), call.tensor("weight"),
                       call.optional_tensor("bias"));
}

/// self + alpha * left right: a residual, or the mask of an attention.
Lowered lower_added_product(const Call& call, Recorder& recorder, const at::Tensor& left,
                            const at::Tensor& right) {
  if (call.number("beta") != 1) return {};
  StepWriter write(recorder);
  const bool is_layer = recorder.follows(left) && !recorder.follows(right) && right.dim() == 2;
  StepWriter::Step product = is_layer ? write.linear(write.start(left), right.t(), {})
                                      : write.matmul(write.start(left), write.start(right));
  if (call.number("alpha") != 1) product = write.scale(product, call.number("alpha"));
  return {write.add(product, write.start(call.tensor("self"))).value};
}

Lowered lower_baddbmm(const Call& call, Recorder& recorder) {
  return lower_added_product(call, recorder, call.tensor("batch1"), call.tensor("batch2"));
}

/// addmm(bias, x, weightᵀ) is what linear does on a matrix.
Lowered lower_addmm(const Call& call, Recorder& recorder) {
  const at::Tensor bias = call.tensor("self");
  const at::Tensor weight = call.tensor("mat2");
  const bool plain = call.number("beta") == 1 && call.number("alpha") == 1 && bias.dim() == 1;
  if (!plain || recorder.follows(bias) || recorder.follows(weight)) {
    return lower_added_product(call, recorder, call.tensor("mat1"), weight);
  }
  return append_linear(call, recorder, call.tensor("mat1"), weight.t(), bias);
}

/// A weight [M, K] times [..., K, N], as mixers of tokens write it: linear over the transpose.
Lowered lower_mixing(Recorder& recorder, const at::Tensor& weight, const at::Tensor& right) {
  StepWriter write(recorder);
  ir::Ints swapped(static_cast<size_t>(right.dim()));
  std::iota(swapped.begin(), swapped.end(), int64_t{0});
  std::swap(swapped[swapped.size() - 1], swapped[swapped.size() - 2]);
  const StepWriter::Step turned = write.permute(write.start(right), swapped);
  return {write.permute(write.linear(turned, weight, {}), swapped).value};
}

Lowered lower_product(const Call& call, Recorder& recorder, const at::Tensor& left,
                      const at::Tensor& right) {
  if (recorder.follows(left) && !recorder.follows(right) && right.dim() == 2 && left.dim() >= 2) {
    return append_linear(call, recorder, left, right.t(), {});
  }
  if (left.dim() < 2 || right.dim() < 2) return {};
  if (!recorder.follows(left) && left.dim() == 2) return lower_mixing(recorder, left, right);
  return {append_for(call, recorder, ir::MatMul{}, {left, right}, call.result())};
}

Lowered lower_matmul(const Call& call, Recorder& recorder) {
  return lower_product(call, recorder, call.tensor("self"), call.tensor("other"));
}

Lowered lower_mm(const Call& call, Recorder& recorder) {
  return lower_product(call, recorder, call.tensor("self"), call.tensor("mat2"));
}

std::optional<ir::Parameter> optional_parameter(const Call& call, const Recorder& recorder,
                                                const char* name) {
  const at::Tensor tensor = call.optional_tensor(name);
  if (!tensor.defined()) return std::nullopt;
  return recorder.parameter(tensor, name);
}

Lowered lower_batch_norm(const Call& call, Recorder& recorder) {
  if (!call.has("running_mean") || !call.has("running_var")) return {};
  for (const char* name : {"weight", "bias", "running_mean", "running_var"}) {
    if (!is_constant(call.optional_tensor(name), recorder)) return {};
  }
  ir::BatchNorm norm;
  norm.weight = optional_parameter(call, recorder, "weight");
  norm.bias = optional_parameter(call, recorder, "bias");
  norm.running_mean = recorder.parameter(call.tensor("running_mean"), "running_mean");
  norm.running_var = recorder.parameter(call.tensor("running_var"), "running_var");
  norm.eps = call.number("eps");
  return lower_to(call, recorder, std::move(norm), call.tensor("input"));
}

Lowered lower_layer_norm(const Call& call, Recorder& recorder) {
  if (!is_constant(call.optional_tensor("weight"), recorder) ||
      !is_constant(call.optional_tensor("bias"), recorder)) {
    return {};
  }
  ir::LayerNorm norm;
  norm.weight = optional_parameter(call, recorder, "weight");
  norm.bias = optional_parameter(call, recorder, "bias");
  norm.normalized_shape = call.integers("normalized_shape");
  norm.eps = call.number("eps");
  return lower_to(call, recorder, std::move(norm), call.tensor("input"));
}

}  // namespace

void add_layer_lowerings(LoweringTable& table) {
  for (const char* name : {"conv1d", "conv2d", "conv3d", "_convolution_mode"}) {
    table[name] = lower_conv;
  }
  for (const char* name : {"conv_transpose1d", "conv_transpose2d", "conv_transpose3d"}) {
    table[name] = lower_conv_transpose;
  }
  table["convolution"] = table["_convolution"] = lower_any_convolution;
  table["linear"] = lower_linear;
  table["addmm"] = lower_addmm;
  table["baddbmm"] = lower_baddbmm;
  table["matmul"] = lower_matmul;
  table["mm"] = table["bmm"] = lower_mm;
  table["batch_norm"] = lower_batch_norm;
  table["layer_norm"] = lower_layer_norm;
}

}  // namespace ptq::import
