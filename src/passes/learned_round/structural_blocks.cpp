#include <algorithm>
#include <unordered_set>

#include "passes/learned_round/blocks.h"
#include "passes/learned_round/segments.h"

namespace ptq::passes {
namespace {

bool is_activation(const ir::Node& node) {
  return node.is<ir::Relu>() || node.is<ir::Relu6>() || node.is<ir::Sigmoid>() ||
         node.is<ir::Silu>() || node.is<ir::Hardswish>() || node.is<ir::Hardsigmoid>() ||
         node.is<ir::Gelu>() || node.is<ir::LeakyRelu>();
}

bool is_quantizer(const ir::Node& node) { return node.is<ir::FakeQuantize>(); }

/// What may stand between two layers of a block.
bool lets_pass(const ir::Node& node) {
  return is_activation(node) || is_quantizer(node) || node.is<ir::BatchNorm>();
}

bool is_depthwise(const ir::Node& node) {
  const auto* conv = node.as<ir::Conv>();
  return conv != nullptr && conv->groups > 1 && conv->weight.value.size(1) == 1;
}

/// Whether some way from its input to its output meets no layer.
bool has_identity(const Segment& segment) {
  std::unordered_set<ir::ValueId> reached{segment.input};
  for (const ir::Node* node : segment.nodes) {
    const bool is_reached =
        std::any_of(node->inputs.begin(), node->inputs.end(),
                    [&](ir::ValueId input) { return reached.count(input) > 0; });
    if (is_reached && ir::weighted(node->op) == nullptr) reached.insert(node->output());
  }
  return reached.count(segment.output) > 0;
}

bool has_rounded_layer(const Segment& segment) {
  return std::any_of(segment.nodes.begin(), segment.nodes.end(),
                     [](const ir::Node* node) { return is_rounded(*node); });
}

class BlockFinder {
 public:
  explicit BlockFinder(ir::Graph& graph)
      : segments_(segments_of(graph)), is_taken_(segments_.size(), false) {}

  std::vector<runtime::SweepUnit> find() {
    for (size_t i = 0; i < segments_.size(); ++i) {
      if (!segments_[i].is_link() && has_rounded_layer(segments_[i])) take_branches(i);
    }
    for (size_t i = 0; i < segments_.size(); ++i) {
      if (is_free_link(i) && is_depthwise(link(i))) take_inverted_residual(i);
    }
    return std::move(blocks_);
  }

 private:
  const ir::Node& link(size_t i) const { return *segments_[i].nodes.front(); }
  bool is_free_link(size_t i) const {
    return i < segments_.size() && !is_taken_[i] && segments_[i].is_link();
  }

  /// The next free layer from `i` in steps of `direction`, over what lets pass; `i` if none.
  size_t next_layer(size_t i, int direction) const {
    size_t at = i;
    do at += static_cast<size_t>(direction);
    while (is_free_link(at) && lets_pass(link(at)));
    return is_free_link(at) && is_rounded(link(at)) ? at : i;
  }

  void take_branches(size_t i) {
    size_t last = i;
    while (is_free_link(last + 1) && is_activation(link(last + 1))) ++last;
    take(has_identity(segments_[i]) ? i : next_layer(i, -1), last);
  }

  void take_inverted_residual(size_t i) {
    const size_t first = next_layer(i, -1);
    const size_t last = next_layer(i, 1);
    if (first != last) take(first, last);
  }

  void take(size_t first, size_t last) {
    if (first > 0 && is_free_link(first - 1) && is_quantizer(link(first - 1))) --first;
    runtime::SweepUnit block{{}, segments_[first].input, segments_[last].output};
    for (size_t i = first; i <= last; ++i) {
      is_taken_[i] = true;
      block.nodes.insert(block.nodes.end(), segments_[i].nodes.begin(), segments_[i].nodes.end());
    }
    blocks_.push_back(std::move(block));
  }

  std::vector<Segment> segments_;
  std::vector<bool> is_taken_;
  std::vector<runtime::SweepUnit> blocks_;
};

}  // namespace

std::vector<runtime::SweepUnit> structural_blocks(ir::Graph& graph) {
  return with_single_layers(graph, BlockFinder(graph).find());
}

}  // namespace ptq::passes
