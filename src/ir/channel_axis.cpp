#include "ir/channel_axis.h"

#include <algorithm>

namespace ptq::ir {
namespace {

/// Whether the maker or a reader of `value` is what `predicate` asks for.
bool is_beside(const Index& index, ValueId value, bool (*predicate)(const Node&)) {
  const Node* producer = index.producer(value);
  const auto& users = index.users(value);
  return (producer != nullptr && predicate(*producer)) ||
         std::any_of(users.begin(), users.end(),
                     [&](const Node* user) { return predicate(*user); });
}

bool works_on_last_axis(const Node& node) { return node.is<Linear>() || node.is<LayerNorm>(); }

bool is_convolution(const Node& node) { return node.is<Conv>() || node.is<ConvTranspose>(); }

}  // namespace

int64_t channel_axis(const Graph& graph, const Index& index, ValueId value) {
  if (is_beside(index, value, works_on_last_axis)) return -1;
  if (is_beside(index, value, is_convolution)) return 1;
  return graph.values[static_cast<size_t>(value)].shape.size() == 4 ? 1 : -1;
}

}  // namespace ptq::ir
