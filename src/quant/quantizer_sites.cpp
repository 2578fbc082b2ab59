#include "quant/quantizer_sites.h"

#include "ptq/base/error.h"

namespace ptq::quant {
namespace {

/// The module or operation whose value an activation quantizer reads: another quantizer between
/// the two is not a producer.
std::string producer_name(const ir::Index& index, const ir::Node& fake_quantize) {
  const ir::Node* node = index.producer(fake_quantize.inputs.front());
  while (node != nullptr && node->is<ir::FakeQuantize>()) {
    node = index.producer(node->inputs.front());
  }
  return node == nullptr ? "input" : node->name;
}

/// Of what is quantized, for one image.
std::vector<int64_t> sizes_of(const ir::Graph& graph, const ir::Node& node) {
  if (const ir::Weighted* layer = ir::weighted(node.op)) return layer->weight.value.sizes().vec();
  std::vector<int64_t> sizes;
  for (const ir::Dim& extent : graph.values[static_cast<size_t>(node.inputs.front())].shape) {
    sizes.push_back(extent.at(1));
  }
  return sizes;
}

}  // namespace

std::vector<QuantizerSite> quantizer_sites(ir::Graph& graph) {
  const ir::Index index(graph);
  std::vector<QuantizerSite> sites;
  for (const ir::Node& node : graph.nodes) {
    if (const ir::Weighted* layer = ir::weighted(node.op)) {
      for (const ir::QuantizerId id : {layer->weight_quantizer, layer->bias_quantizer}) {
        if (id != ir::kNoQuantizer) sites.push_back({node.name, &node, id});
      }
    }
    if (const auto* activation = node.as<ir::FakeQuantize>()) {
      sites.push_back({producer_name(index, node), &node, activation->quantizer});
    }
  }
  return sites;
}

bool is_without_bias(const QuantizerSite& site, const QuantizerTable& table) {
  return table.at(site.id).kind == QuantizerKind::kBias && !ir::weighted(site.node->op)->bias;
}

std::string kind_word(QuantizerKind kind) {
  switch (kind) {
    case QuantizerKind::kWeight:
      return "weight";
    case QuantizerKind::kBias:
      return "bias";
    case QuantizerKind::kActivation:
      return "activation";
  }
  throw InternalError("a quantizer is of no kind");
}

std::vector<int64_t> scale_sizes(const QuantizedNetwork& network, const QuantizerSite& site) {
  const Quantizer& quantizer = network.table.at(site.id);
  if (quantizer.granularity == Granularity::kPerTensor) return {};
  const std::vector<int64_t> sizes = sizes_of(network.graph, *site.node);
  if (quantizer.granularity == Granularity::kPerGroup) {
    return group_shape(sizes, quantizer.axis, quantizer.group_size);
  }
  const int64_t rank = static_cast<int64_t>(sizes.size());
  return {
      sizes.at(static_cast<size_t>(quantizer.axis < 0 ? quantizer.axis + rank : quantizer.axis))};
}

}  // namespace ptq::quant
