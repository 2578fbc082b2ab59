#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <numeric>

#include "export/onnx/write/quantizers.h"

// Operations that own tensors.
namespace ptq::exporting {
namespace {

/// Zeros before and after, dimension by dimension: begins, then ends.
ir::Ints both_sides(const ir::Ints& padding) {
  ir::Ints pads = padding;
  pads.insert(pads.end(), padding.begin(), padding.end());
  return pads;
}

template <class Op>
std::vector<OnnxAttribute> window(const Op& op) {
  const at::IntArrayRef sizes = op.weight.value.sizes();
  return {{"kernel_shape", ir::Ints(sizes.begin() + 2, sizes.end())},
          {"strides", op.stride},
          {"pads", both_sides(op.padding)},
          {"dilations", op.dilation},
          {"group", op.groups}};
}

std::vector<std::string> layer_inputs(OnnxSite& site, const ir::Weighted& layer) {
  std::vector<std::string> inputs{site.input(),
                                  weight_tensor(site, layer, WeightLayout::kAsStored)};
  if (layer.bias) inputs.push_back(bias_tensor(site, layer));
  return inputs;
}

std::string parameter(OnnxSite& site, const std::optional<ir::Parameter>& parameter,
                      const std::string& word, const at::Tensor& otherwise) {
  if (!parameter) return site.model.add_floats(site.part(word), otherwise);
  const std::string name = parameter->name.empty() ? site.part(word) : parameter->name;
  return site.model.add_floats(name, parameter->value);
}

/// (x - mean) / sqrt(variance + eps), step by step: LayerNormalization came with opset 17.
std::string normalized(OnnxSite& site, const ir::LayerNorm& op, const ir::Ints& dims) {
  const std::string mean = mean_step(site, "mean", site.input(), dims);
  const std::string centred = site.step("Sub", "centred", {site.input(), mean});
  const std::string squares = site.step("Mul", "squares", {centred, centred});
  const std::string variance = mean_step(site, "variance", squares, dims);
  const std::string shifted =
      site.step("Add", "variance_eps", {variance, site.number("eps", op.eps)});
  const std::string deviation = site.step("Sqrt", "deviation", {shifted});
  return site.step("Div", "normalized", {centred, deviation});
}

}  // namespace

void translate(OnnxSite& site, const ir::Conv& op) {
  site.finish("Conv", layer_inputs(site, op), window(op));
}

void translate(OnnxSite& site, const ir::ConvTranspose& op) {
  std::vector<OnnxAttribute> attributes = window(op);
  attributes.push_back({"output_padding", op.output_padding});
  site.finish("ConvTranspose", layer_inputs(site, op), attributes);
}

void translate(OnnxSite& site, const ir::Linear& op) {
  if (site.input_shape().size() == 2) {
    site.finish("Gemm", layer_inputs(site, op), {{"transB", int64_t{1}}});
    return;
  }
  const std::string weight = weight_tensor(site, op, WeightLayout::kTransposed);
  if (!op.bias) {
    site.finish("MatMul", {site.input(), weight});
    return;
  }
  const std::string product = site.step("MatMul", "product", {site.input(), weight});
  site.finish("Add", {product, bias_tensor(site, op)});
}

void translate(OnnxSite& site, const ir::BatchNorm& op) {
  const int64_t channels = op.running_mean.value.numel();
  site.finish("BatchNormalization",
              {site.input(), parameter(site, op.weight, "weight", at::ones({channels})),
               parameter(site, op.bias, "bias", at::zeros({channels})),
               parameter(site, op.running_mean, "running_mean", {}),
               parameter(site, op.running_var, "running_var", {})},
              {{"epsilon", op.eps}});
}

void translate(OnnxSite& site, const ir::LayerNorm& op) {
  const auto rank = static_cast<int64_t>(op.normalized_shape.size());
  const std::string weight = parameter(site, op.weight, "weight", at::ones(op.normalized_shape));
  if (site.model.opset() >= 17) {
    std::vector<std::string> inputs{site.input(), weight};
    if (op.bias) inputs.push_back(parameter(site, op.bias, "bias", {}));
    site.finish("LayerNormalization", inputs, {{"axis", -rank}, {"epsilon", op.eps}});
    return;
  }
  ir::Ints dims(op.normalized_shape.size());
  std::iota(dims.begin(), dims.end(), -rank);
  const std::vector<std::string> factors{normalized(site, op, dims), weight};
  if (!op.bias) {
    site.finish("Mul", factors);
    return;
  }
  site.finish("Add", {site.step("Mul", "scaled", factors), parameter(site, op.bias, "bias", {})});
}

}  // namespace ptq::exporting
