#include "quant/bias_range.h"

#include <ATen/ops/maximum.h>
#include <ATen/ops/where.h>

#include <algorithm>
#include <cmath>

#include "quant/layer_quantizers.h"

namespace ptq::quant {
namespace {

/// Of the codes of a bias that a raised scale is to need: corrections may still enlarge it.
constexpr double kUsedShare = 0.9;

double largest_code(int bit_width) { return std::ldexp(1.0, bit_width - 1) - 1; }

/// What a layer's bias is measured by. Undefined tensors where it has no quantizer.
struct Scales {
  at::Tensor bias, input, weight;
  int bits = 0;

  /// Codes that the biases would need, one each.
  at::Tensor needed() const { return bias.abs().div(input.mul(weight)); }
  at::Tensor outside() const { return needed().gt(largest_code(bits)); }
};

Scales scales_of(const ir::Index& index, const ir::Node& node, const QuantizerTable& table) {
  const ir::Weighted* layer = ir::weighted(node.op);
  if (layer == nullptr || layer->bias_quantizer == ir::kNoQuantizer || !layer->bias) return {};
  const ir::QuantizerId in = input_quantizer(index, node);
  if (in == ir::kNoQuantizer || !table.at(in).is_static_per_tensor()) return {};
  return {layer->bias->value.to(at::kDouble), table.scale_of(in).value.to(at::kDouble),
          table.scale_of(layer->weight_quantizer).value.to(at::kDouble),
          bit_width(table.at(layer->bias_quantizer).format)};
}

/// E[x^2] of the layer's input, were its values spread evenly over its codes.
double mean_square(const ir::Index& index, const ir::Node& node, const QuantizerTable& table) {
  const ir::QuantizerId in = input_quantizer(index, node);
  const int bits = bit_width(table.at(in).format);
  const double largest = std::ldexp(table.scale_of(in).value.item<double>(), bits - 1);
  return largest * largest / 3;
}

/// [output channels, weights of each], and the square of what rounding with `scale` can cost.
at::Tensor rounding_costs(const ir::Node& node, const at::Tensor& scale) {
  const ir::Weighted& layer = *ir::weighted(node.op);
  const at::Tensor rows =
      layer.weight.value.to(at::kDouble).transpose(0, ir::output_channel_axis(node.op)).flatten(1);
  const at::Tensor coarse = scale.mul(scale).div(12).reshape({-1, 1});
  return at::where(rows.square().lt(coarse), rows.square(), coarse.expand_as(rows)).sum(1);
}

at::Tensor power_of_two_above(const at::Tensor& scale) { return scale.log2().ceil().exp2(); }

}  // namespace

BiasRange bias_range(const ir::Index& index, const ir::Node& node, const QuantizerTable& table) {
  const Scales scales = scales_of(index, node, table);
  if (!scales.bias.defined()) return {};
  return {scales.outside().sum().item<int64_t>(), scales.bias.numel(), scales.bits};
}

double least_input_scale(const ir::Index& index, const ir::Node& node,
                         const QuantizerTable& table) {
  const Scales scales = scales_of(index, node, table);
  if (!scales.bias.defined()) return 0;
  const double used = scales.needed().max().item<double>() / largest_code(scales.bits);
  return scales.input.item<double>() * std::min(used, 1.0);
}

int64_t fit_weight_scale_to_bias(const ir::Index& index, const ir::Node& node,
                                 QuantizerTable& table) {
  const Scales scales = scales_of(index, node, table);
  if (!scales.bias.defined() || !scales.outside().any().item<bool>()) return 0;
  const at::Tensor outside = scales.outside();
  const double limit = largest_code(scales.bits);
  at::Tensor fitting = scales.bias.abs().div(scales.input.mul(kUsedShare * limit));
  const bool one_scale = scales.weight.numel() == 1;
  if (one_scale) fitting = fitting.max();
  const auto* node_layer = ir::weighted(node.op);
  if (table.at(node_layer->weight_quantizer).scale_type == ScaleType::kPowerOfTwo) {
    fitting = power_of_two_above(fitting);
  }
  const at::Tensor raised = at::maximum(fitting, scales.weight);
  const at::Tensor cut = scales.bias.abs().sub(scales.input.mul(scales.weight).mul(limit));
  at::Tensor gain = at::where(outside, cut.square(), cut.mul(0));
  at::Tensor cost =
      rounding_costs(node, raised.expand_as(scales.bias)).mul(mean_square(index, node, table));
  if (one_scale) {
    gain = gain.sum();
    cost = cost.sum();
  }
  const at::Tensor worthwhile = gain.gt(cost).logical_and(one_scale ? outside.any() : outside);
  Scale& scale = table.scale_of(node_layer->weight_quantizer);
  scale.value = at::where(worthwhile, raised, scales.weight).to(at::kFloat).view_as(scale.value);
  if (one_scale) return worthwhile.item<bool>() ? scales.bias.numel() : 0;
  return worthwhile.sum().item<int64_t>();
}

}  // namespace ptq::quant
