#include "export/onnx/write/quantizers.h"

#include <ATen/ops/round.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <limits>

#include "quant/fake_quantize.h"
#include "quant/layer_quantizers.h"

// Patterns of reference-contract 7.1.
namespace ptq::exporting {
namespace {

/// An integer type of ONNX that holds the codes of a quantizer.
struct Container {
  OnnxType type;
  int bit_width;
  bool is_signed;

  bool is_filled_by(const quant::IntegerFormat& format) const {
    return format.bit_width == bit_width && !format.narrow_range;
  }
};

Container container_of(const quant::Quantizer& quantizer, const ExportOptions& options) {
  const quant::IntegerFormat& format = *quantizer.integer();
  const bool is_signed = format.is_signed;
  const bool is_weight = quantizer.kind == quant::QuantizerKind::kWeight;
  if (options.int4_weights && is_weight && format.bit_width <= 4) {
    return {is_signed ? kOnnxInt4 : kOnnxUint4, 4, is_signed};
  }
  if (format.bit_width <= 8) {
    return {is_signed ? onnx::TensorProto::INT8 : onnx::TensorProto::UINT8, 8, is_signed};
  }
  return {is_signed ? onnx::TensorProto::INT16 : onnx::TensorProto::UINT16, 16, is_signed};
}

/// A scale of one channel is one of the tensor.
at::Tensor scalar_if_single(const at::Tensor& tensor) {
  return tensor.numel() == 1 ? tensor.reshape({}) : tensor;
}

at::Tensor zero_points(const quant::Quantizer& quantizer, const at::Tensor& scale) {
  if (quantizer.symmetry == quant::Symmetry::kSymmetric) return at::zeros_like(scale);
  return scalar_if_single(at::round(quantizer.zero_point));
}

/// One tensor, whoever asks for it with the same key.
template <class Make>
std::string once(OnnxTranslation& whole, const std::string& key, Make make) {
  const auto found = whole.shared.find(key);
  if (found != whole.shared.end()) return found->second;
  return whole.shared[key] = make();
}

struct ActivationTensors {
  std::string scale, zero_point;
};

ActivationTensors activation_tensors(OnnxSite& site, const quant::Quantizer& quantizer,
                                     const Container& container) {
  const at::Tensor scale = scalar_if_single(
      site.whole.network.table.scales.at(static_cast<size_t>(quantizer.scale)).value);
  const at::Tensor zero_point = zero_points(quantizer, scale);
  const std::string key = std::to_string(quantizer.scale);
  // Quantizers of one scale may have zero points of their own.
  const std::string zero_key =
      "zero point " + key + " " + std::to_string(container.type) + " " +
      (zero_point.dim() == 0 ? std::to_string(zero_point.item<float>()) : quantizer.layer);
  return {once(site.whole, "scale " + key,
               [&] { return site.model.add_floats(site.part("scale"), scale); }),
          once(site.whole, zero_key, [&] {
            return site.model.add_codes(site.part("zero_point"), zero_point, container.type);
          })};
}

/// Clip of codes that do not fill their 8-bit container.
std::string clip_codes(OnnxSite& site, const std::string& name, const std::string& codes,
                       const quant::IntegerFormat& format, const Container& container) {
  const auto bound = [&](const char* word, double value) {
    const std::string key =
        std::string(word) + std::to_string(value) + " " + std::to_string(container.type);
    return once(site.whole, "bound " + key, [&] {
      return site.model.add_codes(name + "." + word, at::zeros({}).fill_(value), container.type);
    });
  };
  return site.model.add(
      {"Clip",
       name + ".clip",
       {codes, bound("quant_min", format.quant_min()), bound("quant_max", format.quant_max())}});
}

/// Codes of 9 to 15 bits: runtimes clip float tensors but not int16 ones, and what is clipped after
/// DequantizeLinear at the same float32 bounds is the same.
void finish_with_float_clip(OnnxSite& site, const std::vector<std::string>& dequantize_inputs,
                            const quant::QParams& params) {
  const std::string value = site.step("DequantizeLinear", "dequantize", dequantize_inputs);
  site.finish("Clip", {value, site.number("min", quant::dequantize(params.quant_min, params)),
                       site.number("max", quant::dequantize(params.quant_max, params))});
}

/// Weight as it is stored in the file.
at::Tensor laid_out(const at::Tensor& weight, WeightLayout layout) {
  return layout == WeightLayout::kTransposed ? weight.t() : weight;
}

std::vector<OnnxAttribute> axis_attribute(const at::Tensor& scale, int64_t axis) {
  if (scale.dim() == 0) return {};
  return {{"axis", axis}};
}

std::string quantized_weight(OnnxSite& site, const ir::Weighted& layer, WeightLayout layout) {
  const quant::QuantizerTable& table = site.whole.network.table;
  const quant::Quantizer& quantizer = table.at(layer.weight_quantizer);
  const Container container = container_of(quantizer, site.whole.options);
  const std::string& name = layer.weight.name;
  const at::Tensor scale = scalar_if_single(table.scale_of(layer.weight_quantizer).value);
  const at::Tensor codes =
      quant::quantize_weight(layer.weight.value, table, layer.weight_quantizer);

  std::string stored =
      site.model.add_codes(name + ".codes", laid_out(codes, layout), container.type);
  if (!container.is_filled_by(*quantizer.integer()) && container.bit_width == 8) {
    stored = clip_codes(site, name, stored, *quantizer.integer(), container);
  }
  const int64_t axis = layout == WeightLayout::kTransposed ? 1 - quantizer.axis : quantizer.axis;
  return site.model.add(
      {"DequantizeLinear",
       name,
       {stored, site.model.add_floats(name + ".scale", scale),
        site.model.add_codes(name + ".zero_point", zero_points(quantizer, scale), container.type)},
       axis_attribute(scale, axis)});
}

/// The largest code as int32: 2^31 - 1 is 2^31 in float32.
at::Tensor bias_codes(const at::Tensor& bias, const at::Tensor& scale, int bit_width) {
  const quant::IntegerFormat format{bit_width, true, false};
  return at::round(bias.div(scale)).to(at::kDouble).clamp(format.quant_min(), format.quant_max());
}

std::string float_tensor(OnnxSite& site, const std::string& name, const at::Tensor& value) {
  return site.model.add_floats(name, value);
}

/// quant::Truncation: codes of the finer scale, rounded, are quantized at the step they are dropped
/// to.
std::string truncated_codes(OnnxSite& site, const quant::TruncatingParams& params,
                            const std::string& zero_point) {
  const std::string fine =
      site.step("Div", "fine", {site.input(), site.number("fine_scale", params.fine_scale)});
  const std::string whole = site.step("Round", "whole", {fine});
  return site.step("QuantizeLinear", "quantize",
                   {whole, site.number("step", params.step), zero_point});
}

std::string codes_of(OnnxSite& site, const ir::FakeQuantize& op, const ActivationTensors& tensors,
                     const std::vector<OnnxAttribute>& axis) {
  const quant::QuantizerTable& table = site.whole.network.table;
  if (table.at(op.quantizer).truncation) {
    const auto params = quant::element_params(table, op.quantizer);
    return truncated_codes(site, std::get<quant::TruncatingParams>(params), tensors.zero_point);
  }
  return site.step("QuantizeLinear", "quantize", {site.input(), tensors.scale, tensors.zero_point},
                   axis);
}

}  // namespace

void translate(OnnxSite& site, const ir::FakeQuantize& op) {
  const quant::Quantizer& quantizer = site.whole.network.table.at(op.quantizer);
  const quant::IntegerFormat& format = *quantizer.integer();
  const Container container = container_of(quantizer, site.whole.options);
  const ActivationTensors tensors = activation_tensors(site, quantizer, container);
  const auto axis =
      axis_attribute(site.whole.network.table.scale_of(op.quantizer).value, quantizer.axis);
  std::string codes = codes_of(site, op, tensors, axis);
  const bool is_filled = container.is_filled_by(format);
  if (!is_filled && container.bit_width == 16) {
    finish_with_float_clip(
        site, {codes, tensors.scale, tensors.zero_point},
        std::get<quant::QParams>(quant::element_params(site.whole.network.table, op.quantizer)));
    return;
  }
  if (!is_filled) codes = clip_codes(site, site.node.name, codes, format, container);
  site.finish("DequantizeLinear", {codes, tensors.scale, tensors.zero_point}, axis);
}

std::string weight_tensor(OnnxSite& site, const ir::Weighted& layer, WeightLayout layout) {
  const auto identity = reinterpret_cast<uintptr_t>(layer.weight.value.unsafeGetTensorImpl());
  const std::string key = "weight " + std::to_string(identity) + " " +
                          std::to_string(layer.weight_quantizer) + " " +
                          std::to_string(static_cast<int>(layout));
  return once(site.whole, key, [&] {
    return layer.weight_quantizer == ir::kNoQuantizer
               ? float_tensor(site, layer.weight.name, laid_out(layer.weight.value, layout))
               : quantized_weight(site, layer, layout);
  });
}

std::string bias_tensor(OnnxSite& site, const ir::Weighted& layer) {
  const ir::Parameter& bias = *layer.bias;
  const std::string name = bias.name.empty() ? site.part("bias") : bias.name;
  if (layer.bias_quantizer == ir::kNoQuantizer) return float_tensor(site, name, bias.value);
  const at::Tensor scale =
      scalar_if_single(quant::bias_scale(site.whole.index, site.node, site.whole.network.table));
  const int bits = quant::bit_width(site.whole.network.table.at(layer.bias_quantizer).format);
  const OnnxType type = onnx::TensorProto::INT32;
  return site.model.add(
      {"DequantizeLinear",
       name,
       {site.model.add_codes(name + ".codes", bias_codes(bias.value, scale, bits), type),
        site.model.add_floats(name + ".scale", scale),
        site.model.add_codes(name + ".zero_point", at::zeros_like(scale), type)},
       axis_attribute(scale, 0)});
}

}  // namespace ptq::exporting
