#include <algorithm>

#include "passes/pass.h"

/// concat(a, concat(b, c))            ->  concat(a, b, c)
/// batch_norm(concat(conv, linear))   ->  concat(batch_norm(conv), batch_norm(linear))
namespace ptq::passes {
namespace {

bool feeds_only_concat(const ir::Index& index, const ir::Node& inner) {
  const auto& users = index.users(inner.output());
  if (users.size() != 1 || index.is_graph_output(inner.output())) return false;
  const auto* outer = users[0]->as<ir::Concat>();
  return outer != nullptr && outer->dim == inner.as<ir::Concat>()->dim;
}

void write_into(const ir::Node& inner, ir::Node& outer) {
  const auto at = std::find(outer.inputs.begin(), outer.inputs.end(), inner.output());
  const auto after = outer.inputs.erase(at);
  outer.inputs.insert(after, inner.inputs.begin(), inner.inputs.end());
}

bool is_alone_to_read(const ir::Index& index, ir::ValueId value) {
  return index.users(value).size() == 1 && !index.is_graph_output(value);
}

bool can_take_batch_norm(const ir::Index& index, ir::ValueId value) {
  const ir::Node* producer = index.producer(value);
  return producer != nullptr && is_alone_to_read(index, value) &&
         (ir::weighted(producer->op) != nullptr || producer->is<ir::BatchNorm>());
}

bool match_batch_norm(const ir::Index& index, const ir::Node& node) {
  if (!node.is<ir::BatchNorm>()) return false;
  const ir::Node* producer = index.producer(node.inputs[0]);
  if (producer == nullptr || !producer->is<ir::Concat>()) return false;
  return producer->as<ir::Concat>()->dim == 1 && is_alone_to_read(index, producer->output()) &&
         std::all_of(producer->inputs.begin(), producer->inputs.end(),
                     [&](ir::ValueId input) { return can_take_batch_norm(index, input); });
}

ir::Parameter part(const ir::Parameter& whole, int64_t begin, int64_t length) {
  return {whole.name, whole.value.narrow(0, begin, length)};
}

/// The channels [begin, begin + length) of a batch norm; its eps stays (the reference falls back to
/// the default eps here).
ir::BatchNorm part(const ir::BatchNorm& whole, int64_t begin, int64_t length) {
  ir::BatchNorm result = whole;
  if (whole.weight) result.weight = part(*whole.weight, begin, length);
  if (whole.bias) result.bias = part(*whole.bias, begin, length);
  result.running_mean = part(whole.running_mean, begin, length);
  result.running_var = part(whole.running_var, begin, length);
  return result;
}

void move_before(ir::Graph& graph, ir::Graph::Position concat, ir::Graph::Position batch_norm) {
  const auto* whole = batch_norm->as<ir::BatchNorm>();
  int64_t begin = 0;
  for (ir::ValueId& input : concat->inputs) {
    const ir::Dims shape = graph.values[static_cast<size_t>(input)].shape;
    const int64_t length = shape.at(1).value;
    ir::Node split{batch_norm->name, batch_norm->module, part(*whole, begin, length), {input}, {}};
    input = graph.insert(concat, std::move(split), shape).output();
    begin += length;
  }
  graph.replace_uses(batch_norm->output(), concat->output());
  graph.nodes.erase(batch_norm);
}

}  // namespace

int CollapseConcats::run(ir::Graph& graph) const {
  int changes = 0;
  for (auto node = graph.nodes.begin(); node != graph.nodes.end();) {
    const auto current = node++;
    if (!current->is<ir::Concat>()) continue;
    const ir::Index index(graph);
    if (!feeds_only_concat(index, *current)) continue;
    write_into(*current, *index.users(current->output())[0]);
    graph.nodes.erase(current);
    ++changes;
  }
  return changes;
}

int MoveBatchNormBeforeConcat::run(ir::Graph& graph) const {
  int changes = 0;
  for (auto node = graph.nodes.begin(); node != graph.nodes.end();) {
    const auto current = node++;
    if (!current->is<ir::BatchNorm>()) continue;
    const ir::Index index(graph);
    if (!match_batch_norm(index, *current)) continue;
    move_before(graph, index.position(*index.producer(current->inputs[0])), current);
    ++changes;
  }
  return changes;
}

}  // namespace ptq::passes
