#include "backends/attention.h"

#include <algorithm>

namespace ptq::backends {
namespace {

/// Scaling, masks and changes of shape between the score product and the softmax.
bool between_scores_and_softmax(const ir::Node& node) {
  return node.is<ir::Add>() || node.is<ir::Mul>() || node.is<ir::Div>() ||
         node.is<ir::AddScalar>() || node.is<ir::MulScalar>() || node.is<ir::Reshape>() ||
         node.is<ir::Permute>();
}

bool changes_shape_only(const ir::Node& node) {
  return node.is<ir::Reshape>() || node.is<ir::Permute>() || node.is<ir::Expand>();
}

/// The score product above a softmax: depth first over every operand, masks have none.
ir::Node* find_scores(const ir::Index& index, const ir::Node& node) {
  for (ir::ValueId input : node.inputs) {
    ir::Node* producer = index.producer(input);
    if (producer == nullptr) continue;
    if (producer->is<ir::MatMul>()) return producer;
    if (!between_scores_and_softmax(*producer)) continue;
    if (ir::Node* scores = find_scores(index, *producer)) return scores;
  }
  return nullptr;
}

/// The product below a softmax that takes it as its left operand.
ir::Node* find_context(const ir::Index& index, const ir::Node& node) {
  for (ir::Node* user : index.users(node.output())) {
    if (user->is<ir::MatMul>() && user->inputs[0] == node.output()) return user;
    if (!changes_shape_only(*user)) continue;
    if (ir::Node* context = find_context(index, *user)) return context;
  }
  return nullptr;
}

bool belongs_to(const ir::Node& node, const std::string& module) {
  return node.module == module || node.module.rfind(module + ".", 0) == 0;
}

std::vector<ir::Node*> nodes_of(ir::Graph& graph, const std::string& module) {
  std::vector<ir::Node*> nodes;
  for (ir::Node& node : graph.nodes) {
    if (belongs_to(node, module)) nodes.push_back(&node);
  }
  return nodes;
}

/// A module that holds more than one attention (a whole block, the network) is not a region.
bool is_one_attention(const std::vector<ir::Node*>& nodes) {
  const auto softmaxes = std::count_if(nodes.begin(), nodes.end(),
                                       [](const ir::Node* n) { return n->is<ir::Softmax>(); });
  return softmaxes == 1 && std::none_of(nodes.begin(), nodes.end(), [](const ir::Node* n) {
           return n->is<ir::Conv>() || n->is<ir::LayerNorm>();
         });
}

/// The single node whose value is read outside; nullptr if there are several.
ir::Node* output_of(const ir::Index& index, const std::vector<ir::Node*>& nodes,
                    const std::string& module) {
  ir::Node* output = nullptr;
  for (ir::Node* node : nodes) {
    const auto& users = index.users(node->output());
    const bool leaves = index.is_graph_output(node->output()) ||
                        std::any_of(users.begin(), users.end(), [&](const ir::Node* user) {
                          return !belongs_to(*user, module);
                        });
    if (!leaves) continue;
    if (output != nullptr) return nullptr;
    output = node;
  }
  return output;
}

/// Only nn.MultiheadAttention owns a parameter of this name; what replaces it names a layer.
Attention::Kind kind_of(const ir::Graph& graph, const std::string& module) {
  const std::string packed = module.empty() ? "in_proj_weight" : module + ".in_proj_weight";
  const bool found = std::any_of(graph.nodes.begin(), graph.nodes.end(), [&](const ir::Node& node) {
    const ir::Weighted* layer = ir::weighted(node.op);
    return layer != nullptr && layer->weight.name == packed;
  });
  return found ? Attention::Kind::kModule : Attention::Kind::kFunction;
}

}  // namespace

AttentionMap::AttentionMap(ir::Graph& graph) {
  const ir::Index index(graph);
  for (ir::Node& node : graph.nodes) {
    if (!node.is<ir::Softmax>()) continue;
    Attention attention{find_scores(index, node), &node, find_context(index, node), nullptr,
                        kind_of(graph, node.module)};
    if (attention.scores == nullptr || attention.context == nullptr) continue;
    add(graph, index, attention);
  }
}

void AttentionMap::add(ir::Graph& graph, const ir::Index& index, Attention attention) {
  const std::string& module = attention.softmax->module;
  const std::vector<ir::Node*> nodes =
      module.empty() ? std::vector<ir::Node*>{} : nodes_of(graph, module);
  if (is_one_attention(nodes)) attention.output = output_of(index, nodes, module);
  if (attention.output != nullptr) {
    for (const ir::Node* node : nodes) regions_.emplace(node, static_cast<int>(attentions_.size()));
  }
  attentions_.push_back(attention);
}

int AttentionMap::region_of(const ir::Node& node) const {
  const auto found = regions_.find(&node);
  return found == regions_.end() ? kOutside : found->second;
}

}  // namespace ptq::backends
