#include "quant/layer_quantizers.h"

#include <algorithm>
#include <unordered_set>

#include "ir/padding.h"
#include "ptq/base/error.h"
#include "quant/fake_quantize.h"

namespace ptq::quant {
namespace {

at::Tensor input_scale(const ir::Index& index, const ir::Node& node, const QuantizerTable& table) {
  const ir::QuantizerId id = input_quantizer(index, node);
  if (id == ir::kNoQuantizer) {
    throw QuantizationError(node.name + ": its bias is quantized but its input is not");
  }
  if (!table.at(id).is_static_per_tensor()) {
    throw QuantizationError(node.name + ": its bias is quantized but its input has no fixed scale");
  }
  return table.scale_of(id).value;
}

/// Values are looked at once: sums and concats lead to the same value in ways without number.
void collect_feeding(const ir::Index& index, ir::ValueId value,
                     std::unordered_set<ir::ValueId>& seen, std::vector<ir::QuantizerId>& ids) {
  const ir::Node* producer = index.producer(value);
  if (producer == nullptr || !seen.insert(value).second) return;
  if (const auto* fake = producer->as<ir::FakeQuantize>()) {
    if (std::find(ids.begin(), ids.end(), fake->quantizer) == ids.end()) {
      ids.push_back(fake->quantizer);
    }
    return;
  }
  for (const ir::ValueId input : producer->inputs) collect_feeding(index, input, seen, ids);
}

}  // namespace

bool keeps_codes(const ir::Node& node) {
  return node.is<ir::Reshape>() || node.is<ir::Permute>() || node.is<ir::Expand>() ||
         node.is<ir::Select>() || node.is<ir::Slice>() || node.is<ir::MaxPool>() ||
         node.is<ir::Concat>() || ir::zero_padding(node.op);
}

ir::QuantizerId value_quantizer(const ir::Index& index, ir::ValueId value) {
  const ir::Node* producer = index.producer(value);
  while (producer != nullptr) {
    if (const auto* fake = producer->as<ir::FakeQuantize>()) return fake->quantizer;
    if (!keeps_codes(*producer)) return ir::kNoQuantizer;
    producer = index.producer(producer->inputs.at(0));
  }
  return ir::kNoQuantizer;
}

ir::QuantizerId input_quantizer(const ir::Index& index, const ir::Node& node) {
  return value_quantizer(index, node.inputs.at(0));
}

std::vector<ir::QuantizerId> feeding_quantizers(const ir::Index& index, ir::ValueId value) {
  std::unordered_set<ir::ValueId> seen;
  std::vector<ir::QuantizerId> ids;
  collect_feeding(index, value, seen, ids);
  return ids;
}

at::Tensor bias_scale(const ir::Index& index, const ir::Node& node, const QuantizerTable& table) {
  const ir::Weighted* layer = ir::weighted(node.op);
  if (layer == nullptr || layer->bias_quantizer == ir::kNoQuantizer) return {};
  return input_scale(index, node, table).mul(table.scale_of(layer->weight_quantizer).value);
}

bool has_dynamic_scale(const QuantizerTable& table) {
  return std::any_of(table.quantizers.begin(), table.quantizers.end(), [](const Quantizer& q) {
    return q.timing == Timing::kDynamic && q.granularity == Granularity::kPerTensor;
  });
}

LayerTensors quantized_layer_tensors(const ir::Index& index, const ir::Node& node,
                                     const QuantizerTable& table) {
  const ir::Weighted* layer = ir::weighted(node.op);
  if (layer == nullptr) throw InternalError(node.name + ": has no weight");
  LayerTensors tensors{layer->weight.value, layer->bias ? layer->bias->value : at::Tensor()};
  if (layer->weight_quantizer != ir::kNoQuantizer) {
    tensors.weight = fake_quantize_weight(tensors.weight, table, layer->weight_quantizer);
  }
  if (tensors.bias.defined() && layer->bias_quantizer != ir::kNoQuantizer) {
    tensors.bias = fake_quantize_bias(tensors.bias, input_scale(index, node, table),
                                      table.scale_of(layer->weight_quantizer).value,
                                      bit_width(table.at(layer->bias_quantizer).format));
  }
  return tensors;
}

}  // namespace ptq::quant
