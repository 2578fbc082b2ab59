#include "export/torchscript/text.h"

#include "export/torchscript/opaque.h"
#include "quant/layer_integers.h"

namespace ptq::exporting {
namespace {

/// "conv2d" of "conv" for two spatial dimensions.
std::string spatial(const std::string& function, const ir::Ints& dims) {
  return function + std::to_string(dims.size()) + "d";
}

std::string optional_number(const std::optional<int64_t>& value) {
  return value ? literal(*value) : "None";
}

/// Writes one node: a case an operation, returning the expression of its output.
class NodeWriter {
 public:
  NodeWriter(ScriptBuilder& builder, NetworkView network, const ir::Index& index,
             const ir::Node& node)
      : builder_(builder), network_(network), index_(index), node_(node) {}

  std::string operator()(const ir::Conv& op) const {
    return call(spatial("conv", op.stride),
                {in(0), weight(op), bias(op), literal(op.stride), literal(op.padding),
                 literal(op.dilation), literal(op.groups)});
  }
  std::string operator()(const ir::ConvTranspose& op) const {
    return call(spatial("conv_transpose", op.stride),
                {in(0), weight(op), bias(op), literal(op.stride), literal(op.padding),
                 literal(op.output_padding), literal(op.groups), literal(op.dilation)});
  }
  std::string operator()(const ir::Linear& op) const {
    return call("linear", {in(0), weight(op), bias(op)});
  }
  std::string operator()(const ir::BatchNorm& op) const {
    return call("batch_norm",
                {in(0), kept("weight", op.weight), kept("bias", op.bias),
                 kept("running_mean", op.running_mean), kept("running_var", op.running_var),
                 "False", "0.1", literal(op.eps), "False"});
  }
  std::string operator()(const ir::LayerNorm& op) const {
    return call("layer_norm", {in(0), literal(op.normalized_shape), kept("weight", op.weight),
                               kept("bias", op.bias), literal(op.eps), "False"});
  }

  std::string operator()(const ir::Relu&) const { return call("relu", {in(0)}); }
  std::string operator()(const ir::Relu6& op) const {
    if (!op.ceiling) return call("hardtanh", {in(0), "0.", "6."});
    return call("minimum", {call("relu", {in(0)}), kept("ceiling", op.ceiling)});
  }
  std::string operator()(const ir::Sigmoid&) const { return call("sigmoid", {in(0)}); }
  std::string operator()(const ir::Silu&) const { return call("silu", {in(0)}); }
  std::string operator()(const ir::Hardswish&) const { return call("hardswish", {in(0)}); }
  std::string operator()(const ir::Hardsigmoid&) const { return call("hardsigmoid", {in(0)}); }
  std::string operator()(const ir::Gelu& op) const {
    const std::string form = op.tanh_approximation ? "tanh" : "none";
    return call("gelu", {in(0), "approximate=" + literal(form)});
  }
  std::string operator()(const ir::LeakyRelu& op) const {
    return call("leaky_relu", {in(0), literal(op.negative_slope)});
  }
  std::string operator()(const ir::Softmax& op) const {
    return call("softmax", {in(0), literal(op.dim), "None"});
  }

  std::string operator()(const ir::Add&) const { return call("add", {in(0), in(1)}); }
  std::string operator()(const ir::Sub&) const { return call("sub", {in(0), in(1)}); }
  std::string operator()(const ir::Mul&) const { return call("mul", {in(0), in(1)}); }
  std::string operator()(const ir::Div&) const { return call("div", {in(0), in(1)}); }
  std::string operator()(const ir::AddScalar& op) const {
    return call("add", {in(0), literal(op.value)});
  }
  std::string operator()(const ir::MulScalar& op) const {
    return call("mul", {in(0), literal(op.value)});
  }
  std::string operator()(const ir::MatMul&) const {
    const ir::Dims &a = shape(0), &b = shape(1);
    const bool plain_batches = a.size() == 3 && b.size() == 3 && a[0] == b[0];
    return call(plain_batches ? "bmm" : "matmul", {in(0), in(1)});
  }
  std::string operator()(const ir::Concat& op) const {
    std::vector<std::string> inputs;
    for (size_t i = 0; i < node_.inputs.size(); ++i) inputs.push_back(in(i));
    return call("cat", {list(inputs), literal(op.dim)});
  }

  std::string operator()(const ir::MaxPool& op) const {
    return call(spatial("max_pool", op.kernel),
                {in(0), literal(op.kernel), literal(op.stride), literal(op.padding),
                 literal(op.dilation), literal(op.ceil_mode)});
  }
  std::string operator()(const ir::AvgPool& op) const {
    std::vector<std::string> arguments = {in(0),
                                          literal(op.kernel),
                                          literal(op.stride),
                                          literal(op.padding),
                                          literal(op.ceil_mode),
                                          literal(op.count_include_pad)};
    if (op.kernel.size() > 1) arguments.push_back(optional_number(op.divisor_override));
    return call(spatial("avg_pool", op.kernel), arguments);
  }
  std::string operator()(const ir::AdaptiveAvgPool& op) const {
    return call(spatial("adaptive_avg_pool", op.output_size), {in(0), literal(op.output_size)});
  }
  std::string operator()(const ir::Mean& op) const {
    return call("mean", {in(0), literal(op.dims), literal(op.keepdim)});
  }

  std::string operator()(const ir::Reshape& op) const {
    return call("reshape", {in(0), ScriptBuilder::extents(op.shape)});
  }
  std::string operator()(const ir::Permute& op) const {
    return call("permute", {in(0), literal(op.dims)});
  }
  std::string operator()(const ir::Expand& op) const {
    return call("expand", {in(0), ScriptBuilder::extents(op.shape)});
  }
  std::string operator()(const ir::Select& op) const {
    return call("select", {in(0), literal(op.dim), ScriptBuilder::extent(op.index)});
  }
  std::string operator()(const ir::Slice& op) const {
    return call("slice", {in(0), literal(op.dim), ScriptBuilder::extent(op.start),
                          ScriptBuilder::extent(op.end), literal(op.step)});
  }
  std::string operator()(const ir::Constant& op) const { return kept("value", op.value); }
  std::string operator()(const ir::FakeQuantize& op) const;
  std::string operator()(const ir::Opaque& op) const {
    std::vector<std::string> inputs;
    for (size_t i = 0; i < node_.inputs.size(); ++i) inputs.push_back(in(i));
    return opaque_call(op, inputs, node_.name, builder_);
  }

 private:
  const std::string& in(size_t i) const { return builder_.variable(node_.inputs[i]); }
  const ir::Dims& shape(size_t i) const {
    return network_.graph.values[static_cast<size_t>(node_.inputs[i])].shape;
  }
  std::string keep(const std::string& leaf, const at::Tensor& tensor) const {
    return builder_.keep(node_.name + "." + leaf, tensor);
  }
  std::string kept(const std::string& leaf, const ir::Parameter& parameter) const {
    return keep(leaf, parameter.value);
  }
  std::string kept(const std::string& leaf, const std::optional<ir::Parameter>& parameter) const {
    return parameter ? kept(leaf, *parameter) : "None";
  }
  std::string dequantized(const std::string& leaf, const quant::IntegerTensor& tensor) const;
  std::string weight(const ir::Weighted& op) const;
  std::string bias(const ir::Weighted& op) const;

  ScriptBuilder& builder_;
  NetworkView network_;
  const ir::Index& index_;
  const ir::Node& node_;
};

std::string NodeWriter::dequantized(const std::string& leaf,
                                    const quant::IntegerTensor& tensor) const {
  const std::string codes = keep(leaf, tensor.codes);
  const std::string scale = keep(leaf + "_scale", tensor.scale);
  const std::string zero_point =
      tensor.zero_point.defined() ? keep(leaf + "_zero_point", tensor.zero_point) : "";
  return builder_.assign(node_.name + "_" + leaf,
                         ScriptBuilder::dequantized(codes, scale, zero_point));
}

std::string NodeWriter::weight(const ir::Weighted& op) const {
  if (op.weight_quantizer == ir::kNoQuantizer) return kept("weight", op.weight);
  return dequantized("weight", quant::integer_weight(node_, network_.table));
}

std::string NodeWriter::bias(const ir::Weighted& op) const {
  if (!op.bias || op.bias_quantizer == ir::kNoQuantizer) return kept("bias", op.bias);
  return dequantized("bias", quant::integer_bias(index_, node_, network_.table));
}

// aten::quantize_per_tensor multiplies by 1 / s and adds z after rounding, which moves ties. These
// calls are the equations of quant/qparams.h, and the scale is a tensor so that division stays one
// on every device: by a number it is a multiplication on CUDA. Rounding to no decimals is rounding,
// but nothing that LibTorch's fuser compiles, whose own rounding is wrong in Debian 13's
// LibTorch 2.6.
std::string NodeWriter::operator()(const ir::FakeQuantize& op) const {
  const quant::Quantizer& quantizer = network_.table.at(op.quantizer);
  const quant::IntegerFormat& format = *quantizer.integer();
  const std::string scale = keep("scale", network_.table.scale_of(op.quantizer).value);
  std::string zero_point;
  std::string steps = call("div", {in(0), scale});
  if (quantizer.symmetry == quant::Symmetry::kAsymmetric) {
    zero_point = keep("zero_point", quant::whole_if_possible(quantizer.zero_point));
    steps = call("add", {steps, zero_point});
  }
  const auto bound = [](double code) { return literal(static_cast<int64_t>(code)); };
  const std::string clamped = call("clamp", {call("round", {steps, "decimals=0"}),
                                             bound(format.quant_min()), bound(format.quant_max())});
  const std::string codes = builder_.assign(
      node_.name + "_codes", call("to", {clamped, dtype_literal(quant::container(format))}));
  return ScriptBuilder::dequantized(codes, scale, zero_point);
}

}  // namespace

ScriptText script_text(const QuantizedNetwork& network) {
  ir::Graph copy = network.graph;
  const ir::Index index(copy);
  ScriptBuilder builder;
  builder.bind(network.graph.input, ScriptBuilder::images());
  for (const ir::Node& node : copy.nodes) {
    const NodeWriter writer(builder, {copy, network.table}, index, node);
    builder.bind(node.output(), builder.assign(node.name, std::visit(writer, node.op)));
  }
  return builder.finish(builder.variable(network.graph.output));
}

}  // namespace ptq::exporting
