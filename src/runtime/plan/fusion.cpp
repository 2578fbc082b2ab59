#include "runtime/plan/fusion.h"

#include <algorithm>
#include <unordered_map>

namespace ptq::runtime {
namespace {

bool is_arithmetic(const ir::Node& node) {
  return node.is<ir::Add>() || node.is<ir::Sub>() || node.is<ir::Mul>() || node.is<ir::Div>();
}

bool is_view(const ir::Node& node) {
  return node.is<ir::Reshape>() || node.is<ir::Permute>() || node.is<ir::Expand>() ||
         node.is<ir::Select>() || node.is<ir::Slice>() || node.is<ir::Constant>();
}

const ir::Dims& shape(const ir::Graph& graph, ir::ValueId value) {
  return graph.values[static_cast<size_t>(value)].shape;
}

class Fuser {
 public:
  Fuser(PlanGraph& plan, const std::unordered_set<ir::ValueId>& kept)
      : plan_(plan), index_(plan.graph), kept_(kept) {}

  std::vector<Group> groups() {
    for (const ir::Node& node : plan_.graph.nodes) order_.emplace(&node, order_.size());
    std::vector<Group> result;
    for (const ir::Node& node : plan_.graph.nodes) {
      if (taken_.count(&node) == 0) result.push_back(grow(node));
    }
    std::sort(result.begin(), result.end(), [&](const Group& a, const Group& b) {
      return order_.at(&a.last()) < order_.at(&b.last());
    });
    return result;
  }

 private:
  Group grow(const ir::Node& anchor) {
    Group group{&anchor, {}};
    while (const ir::Node* next = follower(group.last())) {
      group.tail.push_back(next);
      taken_.insert(next);
    }
    return group;
  }

  /// The node that can run on the output of `node` in the same step; nullptr if there is none.
  const ir::Node* follower(const ir::Node& node) const {
    if (is_view(node) || node.outputs.size() != 1) return nullptr;
    const ir::ValueId value = node.output();
    const auto& users = index_.users(value);
    if (users.size() != 1 || index_.is_graph_output(value) || kept_.count(value) != 0) {
      return nullptr;
    }
    const ir::Node& user = *users.front();
    const bool fits =
        is_elementwise(user, plan_.table) && taken_.count(&user) == 0 && keeps_shape(user, value);
    return fits ? &user : nullptr;
  }

  bool keeps_shape(const ir::Node& user, ir::ValueId value) const {
    const ir::Dims& own = shape(plan_.graph, value);
    return !is_arithmetic(user) || (!own.empty() && own == shape(plan_.graph, user.output()));
  }

  const PlanGraph& plan_;
  ir::Index index_;
  const std::unordered_set<ir::ValueId>& kept_;
  std::unordered_map<const ir::Node*, size_t> order_;
  std::unordered_set<const ir::Node*> taken_;
};

}  // namespace

bool is_elementwise(const ir::Node& node, const quant::QuantizerTable& table) {
  if (const auto* fake = node.as<ir::FakeQuantize>()) {
    return table.at(fake->quantizer).is_static_per_tensor();
  }
  return is_arithmetic(node) || node.is<ir::Relu>() || node.is<ir::Relu6>() ||
         node.is<ir::Sigmoid>() || node.is<ir::Silu>() || node.is<ir::Hardswish>() ||
         node.is<ir::Hardsigmoid>() || node.is<ir::Gelu>() || node.is<ir::LeakyRelu>() ||
         node.is<ir::AddScalar>() || node.is<ir::MulScalar>() || node.is<ir::BatchNorm>();
}

std::vector<Group> decide_fusion(PlanGraph& plan, const std::unordered_set<ir::ValueId>& kept) {
  return Fuser(plan, kept).groups();
}

}  // namespace ptq::runtime
