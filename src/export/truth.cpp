#include "export/truth.h"

#include <algorithm>
#include <map>
#include <unordered_set>

#include "export/accumulator.h"
#include "ptq/ir/tensors.h"
#include "quant/layer_quantizers.h"

namespace ptq::exporting {
namespace {

/// Whether a value is codes, all of it: of a concat, every part.
bool holds_codes(const ir::Index& index, ir::ValueId value) {
  const ir::Node* producer = index.producer(value);
  if (producer == nullptr) return false;
  if (producer->is<ir::FakeQuantize>()) return true;
  if (!quant::keeps_codes(*producer)) return false;
  return std::all_of(producer->inputs.begin(), producer->inputs.end(),
                     [&](ir::ValueId input) { return holds_codes(index, input); });
}

bool runs_on_integers(const ir::Index& index, const ir::Node& node) {
  const ir::Weighted* layer = ir::weighted(node.op);
  if (layer != nullptr && layer->weight_quantizer == ir::kNoQuantizer) return false;
  return std::all_of(node.inputs.begin(), node.inputs.end(),
                     [&](ir::ValueId input) { return holds_codes(index, input); });
}

std::vector<OperatorCount> count_operators(const ir::Graph& graph, const ir::Index& index) {
  std::map<std::string, OperatorCount> counts;
  for (const ir::Node& node : graph.nodes) {
    if (node.is<ir::Constant>()) continue;
    const std::string kind(ir::op_name(node.op));
    OperatorCount& count = counts[kind];
    count.kind = kind;
    ++(runs_on_integers(index, node) ? count.on_integers : count.on_floats);
  }
  std::vector<OperatorCount> list;
  list.reserve(counts.size());
  for (const auto& [kind, count] : counts) list.push_back(count);
  return list;
}

int64_t packed(int64_t elements, int bits) { return (elements * bits + 7) / 8; }

/// Adds up tensors, each once however many nodes share it.
class Bytes {
 public:
  explicit Bytes(const quant::QuantizerTable& table) : table_(table) {}

  void add(ir::Node& node) {
    const ir::Weighted* layer = ir::weighted(node.op);
    ir::visit_tensors(node.op, [&](at::Tensor& tensor) {
      const bool is_weight = layer != nullptr && tensor.is_same(layer->weight.value);
      const bool is_bias = layer != nullptr && layer->bias && tensor.is_same(layer->bias->value);
      const ir::QuantizerId quantizer = is_weight ? layer->weight_quantizer
                                        : is_bias ? layer->bias_quantizer
                                                  : ir::kNoQuantizer;
      add(tensor, quantizer);
    });
    if (const auto* fake = node.as<ir::FakeQuantize>()) add_parameters(fake->quantizer);
    if (layer != nullptr && layer->weight_quantizer != ir::kNoQuantizer) {
      add_parameters(layer->weight_quantizer);
    }
  }

  int64_t packed_bytes = 0;
  int64_t float_bytes = 0;

 private:
  void add(const at::Tensor& tensor, ir::QuantizerId quantizer) {
    if (!seen_.insert(tensor.unsafeGetTensorImpl()).second) return;
    const auto bytes = tensor.numel() * static_cast<int64_t>(tensor.element_size());
    float_bytes += bytes;
    packed_bytes += quantizer == ir::kNoQuantizer
                        ? bytes
                        : packed(tensor.numel(), quant::bit_width(table_.at(quantizer).format));
  }

  /// float32 scales, zero points as wide as the codes.
  void add_parameters(ir::QuantizerId id) {
    if (!quantizers_.insert(id).second) return;
    const quant::Quantizer& quantizer = table_.at(id);
    packed_bytes += table_.scale_of(id).value.numel() * static_cast<int64_t>(sizeof(float));
    if (!quantizer.zero_point.defined()) return;
    packed_bytes += packed(quantizer.zero_point.numel(), quant::bit_width(quantizer.format));
  }

  const quant::QuantizerTable& table_;
  std::unordered_set<const void*> seen_;
  std::unordered_set<ir::QuantizerId> quantizers_;
};

}  // namespace

Truth truth_of(const QuantizedNetwork& network) {
  ir::Graph copy = network.graph;
  const ir::Index index(copy);
  Truth truth;
  truth.operators = count_operators(copy, index);
  Bytes bytes(network.table);
  for (ir::Node& node : copy.nodes) {
    bytes.add(node);
    if (auto layer = accumulator_of(index, node, network.table))
      truth.layers.push_back(std::move(*layer));
  }
  truth.packed_bytes = bytes.packed_bytes;
  truth.float_bytes = bytes.float_bytes;
  return truth;
}

std::optional<double> output_step(const QuantizedNetwork& network) {
  ir::Graph copy = network.graph;
  const ir::Index index(copy);
  const ir::QuantizerId id = quant::value_quantizer(index, network.graph.output);
  if (id == ir::kNoQuantizer || !network.table.at(id).is_static_per_tensor()) return std::nullopt;
  return network.table.scale_of(id).value.item<double>();
}

}  // namespace ptq::exporting
