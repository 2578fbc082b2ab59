#include "quantizer_dump.h"

#include <nlohmann/json.hpp>

#include "ptq/base/atomic_file.h"
#include "ptq/base/error.h"
#include "ptq/quant/layer_quantizers.h"

namespace ptq::cli {
namespace {

using nlohmann::json;

std::string_view kind_word(quant::QuantizerKind kind) {
  switch (kind) {
    case quant::QuantizerKind::kWeight:
      return "weight";
    case quant::QuantizerKind::kBias:
      return "bias";
    case quant::QuantizerKind::kActivation:
      return "activation";
  }
  throw InternalError("a quantizer is of no kind");
}

/// A number, or one a channel.
json numbers(const at::Tensor& tensor) {
  if (tensor.dim() == 0) return tensor.item<float>();
  const at::Tensor flat = tensor.to(at::kCPU).contiguous().reshape({-1});
  return std::vector<float>(flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel());
}

/// All quantizers so far are symmetric.
json zero_points(const at::Tensor& scale) {
  if (scale.dim() == 0) return 0;
  return std::vector<int64_t>(static_cast<size_t>(scale.numel()), 0);
}

/// `name` is the layer of a weight or bias, or what produces an activation.
json entry(const std::string& name, const quant::Quantizer& quantizer, const at::Tensor& scale) {
  if (!scale.defined()) throw InternalError(name + ": its scale is not known");
  const bool per_channel = scale.dim() > 0;
  return {{"name", name},
          {"kind", kind_word(quantizer.kind)},
          {"layer", quantizer.layer},
          {"scale", numbers(scale)},
          {"zero_point", zero_points(scale)},
          {"bit_width", quantizer.format.bit_width},
          {"signed", quantizer.format.is_signed},
          {"narrow_range", quantizer.format.narrow_range},
          {"axis", per_channel ? json(quantizer.axis) : json()}};
}

/// The module or operation whose value an activation quantizer reads: another quantizer between
/// the two is no producer.
std::string producer_name(const ir::Index& index, const ir::Node& fake_quantize) {
  const ir::Node* node = index.producer(fake_quantize.inputs.front());
  while (node != nullptr && node->is<ir::FakeQuantize>()) {
    node = index.producer(node->inputs.front());
  }
  return node == nullptr ? "input" : node->name;
}

void add_layer(json& dump, const ir::Index& index, const ir::Node& node,
               const quant::QuantizerTable& table) {
  const ir::Weighted& layer = *ir::weighted(node.op);
  if (layer.weight_quantizer != ir::kNoQuantizer) {
    dump.push_back(entry(node.name, table.at(layer.weight_quantizer),
                         table.scale_of(layer.weight_quantizer).value));
  }
  if (layer.bias && layer.bias_quantizer != ir::kNoQuantizer) {
    dump.push_back(
        entry(node.name, table.at(layer.bias_quantizer), quant::bias_scale(index, node, table)));
  }
}

}  // namespace

json quantizer_dump(const ir::Graph& graph, const quant::QuantizerTable& table) {
  ir::Graph copy = graph;
  const ir::Index index(copy);
  json dump = json::array();
  for (const ir::Node& node : copy.nodes) {
    if (ir::weighted(node.op) != nullptr) add_layer(dump, index, node, table);
    if (const auto* activation = node.as<ir::FakeQuantize>()) {
      dump.push_back(entry(producer_name(index, node), table.at(activation->quantizer),
                           table.scale_of(activation->quantizer).value));
    }
  }
  return dump;
}

void write_quantizer_dump(const std::string& path, const ir::Graph& graph,
                          const quant::QuantizerTable& table) {
  AtomicFile file(path);
  file.stream() << quantizer_dump(graph, table).dump(1) << "\n";
  file.commit();
}

}  // namespace ptq::cli
