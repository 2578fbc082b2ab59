#include "runtime/sweep/cut_network.h"

#include <algorithm>
#include <set>
#include <utility>

#include "quant/layer_quantizers.h"

namespace ptq::runtime {
namespace {

bool is_on(const std::vector<bool>& on, ir::QuantizerId id) {
  return id != ir::kNoQuantizer && on.at(static_cast<size_t>(id));
}

void remove_fake_quantize_nodes(ir::Graph& graph, const std::vector<bool>& on) {
  for (auto node = graph.nodes.begin(); node != graph.nodes.end();) {
    const auto* fake = node->as<ir::FakeQuantize>();
    if (fake == nullptr || is_on(on, fake->quantizer)) {
      ++node;
      continue;
    }
    graph.replace_uses(node->output(), node->inputs[0]);
    node = graph.nodes.erase(node);
  }
}

/// The graph with those quantizers alone that are on.
ir::Graph with_states(const ir::Graph& original, const std::vector<bool>& on) {
  ir::Graph graph = original;
  remove_fake_quantize_nodes(graph, on);
  const ir::Index index(graph);
  for (ir::Node& node : graph.nodes) {
    ir::Weighted* layer = ir::weighted(node.op);
    if (layer == nullptr) continue;
    if (!is_on(on, layer->weight_quantizer)) layer->weight_quantizer = ir::kNoQuantizer;
    const bool has_codes = layer->weight_quantizer != ir::kNoQuantizer &&
                           quant::input_quantizer(index, node) != ir::kNoQuantizer;
    if (!has_codes) layer->bias_quantizer = ir::kNoQuantizer;
  }
  return graph;
}

std::string key_of(const std::vector<Layout>& layouts, int64_t images) {
  std::string key = std::to_string(images);
  for (const Layout& layout : layouts) {
    key += "|" + std::to_string(static_cast<int>(layout.dtype));
    for (const int64_t size : layout.sizes) key += " " + std::to_string(size);
    key += ":";
    for (const int64_t stride : layout.strides) key += " " + std::to_string(stride);
  }
  return key;
}

}  // namespace

CutNetwork::CutNetwork(const ir::Graph& graph, const std::vector<size_t>& stretches,
                       QuantizerStates states)
    : network_{with_states(graph, states.on), std::move(states.table)},
      index_(network_.graph),
      plan_(prepare_plan_graph(network_, ExecutorOptions{})),
      stretches_(stretches.back() + 1) {
  std::unordered_map<std::string, size_t> of_node;
  size_t at = 0;
  for (const ir::Node& node : graph.nodes) of_node.emplace(node.name, stretches[at++]);
  for (const ir::Node& node : plan_.graph.nodes) {
    stretches_[of_node.at(node.name)].nodes.push_back(&node);
  }
  note_values();
}

void CutNetwork::note_values() {
  for (size_t i = 0; i < stretches_.size(); ++i) {
    std::set<ir::ValueId> made, read;
    for (const ir::Node* node : stretches_[i].nodes) {
      for (const ir::ValueId value : node->inputs) {
        last_read_[value] = i;
        if (made.count(value) == 0 && !plan_.is_constant(value)) read.insert(value);
      }
      made.insert(node->output());
    }
    stretches_[i].inputs.assign(read.begin(), read.end());
  }
  for (size_t i = 0; i < stretches_.size(); ++i) {
    for (const ir::Node* node : stretches_[i].nodes) {
      if (is_needed(node->output(), i + 1)) stretches_[i].outputs.push_back(node->output());
    }
  }
}

bool CutNetwork::is_needed(ir::ValueId value, size_t from) const {
  const auto read = last_read_.find(value);
  return value == plan_.graph.output || (read != last_read_.end() && read->second >= from);
}

bool CutNetwork::is_changed(const ir::Node& node,
                            const std::unordered_set<ir::QuantizerId>& changed) const {
  if (const auto* fake = node.as<ir::FakeQuantize>()) return changed.count(fake->quantizer) != 0;
  const ir::Weighted* layer = ir::weighted(node.op);
  if (layer == nullptr) return false;
  if (changed.count(layer->weight_quantizer) != 0) return true;
  // A bias has the scales of input and weight.
  return layer->bias_quantizer != ir::kNoQuantizer &&
         changed.count(quant::input_quantizer(index_, *index_.producer(node.output()))) != 0;
}

/// Whether one of the quantizers stands in what was computed once, outside all stretches.
bool CutNetwork::has_folded(const std::unordered_set<ir::QuantizerId>& changed) const {
  return std::any_of(network_.graph.nodes.begin(), network_.graph.nodes.end(),
                     [&](const ir::Node& node) {
                       const auto* fake = node.as<ir::FakeQuantize>();
                       return fake != nullptr && changed.count(fake->quantizer) != 0 &&
                              plan_.is_constant(node.output());
                     });
}

std::vector<bool> CutNetwork::differences(
    const CutNetwork& base, const std::unordered_set<ir::QuantizerId>& changed) const {
  if (has_folded(changed)) return std::vector<bool>(size(), true);
  std::vector<bool> differ(size(), false);
  for (size_t i = 0; i < size(); ++i) {
    const auto& own = stretches_[i].nodes;
    const auto& other = base.stretches_[i].nodes;
    differ[i] = !std::equal(own.begin(), own.end(), other.begin(), other.end(),
                            [&](const ir::Node* a, const ir::Node* b) {
                              return a->name == b->name && a->inputs == b->inputs &&
                                     !is_changed(*a, changed);
                            });
  }
  return differ;
}

ir::Node CutNetwork::with_weights(const ir::Node& node) const {
  ir::Node own = node;
  ir::Weighted* layer = ir::weighted(own.op);
  if (layer == nullptr) return own;
  const quant::LayerTensors tensors =
      quant::quantized_layer_tensors(index_, *index_.producer(node.output()), network_.table);
  layer->weight.value = tensors.weight;
  if (layer->bias) layer->bias->value = tensors.bias;
  layer->weight_quantizer = layer->bias_quantizer = ir::kNoQuantizer;
  return own;
}

Program CutNetwork::compiled(const Stretch& stretch, const std::vector<Layout>& inputs,
                             int64_t images) const {
  PlanGraph part = plan_.without_nodes();
  for (const ir::Node* node : stretch.nodes) part.graph.nodes.push_back(with_weights(*node));
  PartValues values;
  values.outputs = stretch.outputs;
  for (size_t i = 0; i < inputs.size(); ++i) values.inputs.emplace(stretch.inputs[i], inputs[i]);
  return compile_part(std::move(part), values, images);
}

const Program* CutNetwork::program(size_t index, const std::vector<Layout>& inputs,
                                   int64_t images) {
  Stretch& stretch = stretches_[index];
  if (stretch.outputs.empty()) return nullptr;
  const std::string key = key_of(inputs, images);
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = stretch.programs.find(key);
  if (found != stretch.programs.end()) return &found->second;
  return &stretch.programs.emplace(key, compiled(stretch, inputs, images)).first->second;
}

std::vector<size_t> stretches_of(const ir::Graph& graph) {
  std::vector<size_t> stretches;
  size_t now = 0;
  for (const ir::Node& node : graph.nodes) {
    if (ir::weighted(node.op) != nullptr && !stretches.empty()) ++now;
    stretches.push_back(now);
  }
  return stretches;
}

}  // namespace ptq::runtime
