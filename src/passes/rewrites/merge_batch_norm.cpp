#include <ATen/ops/ones_like.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/zeros_like.h>

#include "passes/pass.h"

/// conv(W, b) -> batch_norm  becomes  conv(W m, b m + a)
///   m = gamma / sqrt(var + eps),  a = beta - mean m          (reference-contract 4.1, step 8)
namespace ptq::passes {
namespace {

struct Affine {
  at::Tensor factor, shift;
};

Affine affine_of(const ir::BatchNorm& norm) {
  const at::Tensor deviation = at::sqrt(norm.running_var.value.add(norm.eps));
  const at::Tensor factor =
      norm.weight ? norm.weight->value.div(deviation) : at::ones_like(deviation).div(deviation);
  const at::Tensor beta = norm.bias ? norm.bias->value : at::zeros_like(factor);
  return {factor, beta.sub(norm.running_mean.value.mul(factor))};
}

/// Weights with several output channels' worth of a group on axis 1 (grouped transposed
/// convolutions) are left alone.
bool can_merge_into(const ir::Node& node) {
  const auto* transposed = node.as<ir::ConvTranspose>();
  if (transposed != nullptr) return transposed->groups == 1;
  return ir::weighted(node.op) != nullptr || node.is<ir::BatchNorm>();
}

/// The node a batch norm can be merged into, or nullptr.
ir::Node* match_layer_before(const ir::Graph& graph, const ir::Index& index, const ir::Node& node) {
  if (!node.is<ir::BatchNorm>()) return nullptr;
  ir::Node* producer = index.producer(node.inputs[0]);
  if (producer == nullptr || !can_merge_into(*producer)) return nullptr;
  const ir::ValueId value = producer->output();
  const bool alone = index.users(value).size() == 1 && !index.is_graph_output(value);
  // A linear over more than two dimensions has its channels last, a batch norm has them second.
  const bool same_axis =
      !producer->is<ir::Linear>() || graph.values[static_cast<size_t>(value)].shape.size() == 2;
  return alone && same_axis ? producer : nullptr;
}

std::string module_of(const std::string& parameter) {
  return parameter.substr(0, parameter.rfind('.') + 1);
}

void merge(ir::Weighted& layer, const Affine& affine, int64_t axis) {
  std::vector<int64_t> shape(static_cast<size_t>(layer.weight.value.dim()), 1);
  shape[static_cast<size_t>(axis)] = affine.factor.numel();
  layer.weight.value = layer.weight.value.mul(affine.factor.view(shape));
  if (layer.bias) {
    layer.bias->value = layer.bias->value.mul(affine.factor).add(affine.shift);
  } else {
    layer.bias = ir::Parameter{module_of(layer.weight.name) + "bias", affine.shift};
  }
}

void merge(ir::BatchNorm& first, const Affine& affine) {
  const Affine own = affine_of(first);
  const at::Tensor deviation = at::sqrt(first.running_var.value.add(first.eps));
  const at::Tensor factor = own.factor.mul(affine.factor);
  const at::Tensor shift = own.shift.mul(affine.factor).add(affine.shift);
  const std::string module = module_of(first.running_mean.name);
  first.weight = ir::Parameter{module + "weight", factor.mul(deviation)};
  first.bias = ir::Parameter{module + "bias", shift.add(first.running_mean.value.mul(factor))};
}

void rewrite(ir::Graph& graph, ir::Node& into, ir::Graph::Position batch_norm) {
  const Affine affine = affine_of(*batch_norm->as<ir::BatchNorm>());
  if (ir::Weighted* layer = ir::weighted(into.op)) {
    merge(*layer, affine, ir::output_channel_axis(into.op));
  } else {
    merge(*into.as<ir::BatchNorm>(), affine);
  }
  graph.replace_uses(batch_norm->output(), into.output());
  graph.nodes.erase(batch_norm);
}

}  // namespace

int MergeBatchNorm::run(ir::Graph& graph) const {
  int changes = 0;
  for (auto node = graph.nodes.begin(); node != graph.nodes.end();) {
    const auto current = node++;
    if (!current->is<ir::BatchNorm>()) continue;
    const ir::Index index(graph);
    if (ir::Node* into = match_layer_before(graph, index, *current)) {
      rewrite(graph, *into, current);
      ++changes;
    }
  }
  return changes;
}

}  // namespace ptq::passes
