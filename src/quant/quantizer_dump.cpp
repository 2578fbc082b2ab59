#include "quant/quantizer_dump.h"

#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "ptq/base/error.h"
#include "quant/layer_quantizers.h"

namespace ptq::quant {
namespace {

using nlohmann::json;

std::string_view kind_word(QuantizerKind kind) {
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

/// A number, or a list in row-major order; null for what is not known before the run.
json numbers(const at::Tensor& tensor) {
  if (!tensor.defined()) return nullptr;
  if (tensor.dim() == 0) return tensor.item<float>();
  const at::Tensor flat = tensor.to(at::kCPU).contiguous().reshape({-1});
  return std::vector<float>(flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel());
}

json zero_points(const Quantizer& quantizer, const at::Tensor& scale) {
  if (quantizer.symmetry == Symmetry::kAsymmetric) return numbers(quantizer.zero_point);
  if (!scale.defined() || scale.dim() == 0) return 0;
  return std::vector<int64_t>(static_cast<size_t>(scale.numel()), 0);
}

json format_json(const NumberFormat& format) {
  const auto* minifloat = std::get_if<MinifloatFormat>(&format);
  if (minifloat == nullptr) return {{"format", "int"}};
  const bool ocp = minifloat->codes == MinifloatFormat::Codes::kOcp;
  return {{"format", ocp ? "float_ocp" : "float"},
          {"exponent_bit_width", minifloat->exponent_bit_width},
          {"mantissa_bit_width", minifloat->mantissa_bit_width}};
}

std::string_view granularity_word(Granularity granularity) {
  switch (granularity) {
    case Granularity::kPerTensor:
      return "per_tensor";
    case Granularity::kPerChannel:
      return "per_channel";
    case Granularity::kPerGroup:
      return "per_group";
  }
  throw InternalError("a granularity is unknown");
}

/// `name` is the layer of a weight or bias, or what produces an activation.
json entry(const std::string& name, const Quantizer& quantizer, const at::Tensor& scale) {
  const bool of_value =
      quantizer.kind == QuantizerKind::kActivation && !quantizer.is_static_per_tensor();
  if (!scale.defined() && !of_value) throw InternalError(name + ": its scale is not known");
  const IntegerFormat* integers = quantizer.integer();
  json result = {{"name", name},
                 {"kind", kind_word(quantizer.kind)},
                 {"layer", quantizer.layer},
                 {"scale", numbers(scale)},
                 {"zero_point", zero_points(quantizer, scale)},
                 {"bit_width", bit_width(quantizer.format)},
                 {"signed", is_signed(quantizer.format)},
                 {"narrow_range", integers != nullptr && integers->narrow_range},
                 {"granularity", granularity_word(quantizer.granularity)},
                 {"dynamic", of_value}};
  const bool has_axis =
      quantizer.granularity == Granularity::kPerGroup || (scale.defined() && scale.dim() > 0);
  result["axis"] = has_axis ? json(quantizer.axis) : json();
  if (quantizer.granularity == Granularity::kPerGroup) {
    result["group_size"] = quantizer.group_size;
    if (scale.defined()) result["scale_shape"] = scale.sizes().vec();
  }
  result.update(format_json(quantizer.format));
  return result;
}

/// The module or operation whose value an activation quantizer reads: another quantizer between
/// the two is not a producer.
std::string producer_name(const ir::Index& index, const ir::Node& fake_quantize) {
  const ir::Node* node = index.producer(fake_quantize.inputs.front());
  while (node != nullptr && node->is<ir::FakeQuantize>()) {
    node = index.producer(node->inputs.front());
  }
  return node == nullptr ? "input" : node->name;
}

void add_layer(json& dump, const ir::Index& index, const ir::Node& node,
               const QuantizerTable& table) {
  const ir::Weighted& layer = *ir::weighted(node.op);
  if (layer.weight_quantizer != ir::kNoQuantizer) {
    dump.push_back(entry(node.name, table.at(layer.weight_quantizer),
                         table.scale_of(layer.weight_quantizer).value));
  }
  if (layer.bias && layer.bias_quantizer != ir::kNoQuantizer) {
    dump.push_back(
        entry(node.name, table.at(layer.bias_quantizer), bias_scale(index, node, table)));
  }
}

}  // namespace

json quantizer_dump(const ir::Graph& graph, const QuantizerTable& table) {
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
                          const QuantizerTable& table) {
  AtomicFile file(path);
  file.stream() << quantizer_dump(graph, table).dump(1) << "\n";
  file.commit();
}

}  // namespace ptq::quant
