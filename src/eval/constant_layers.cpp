#include "eval/constant_layers.h"

#include <ATen/ops/equal.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace ptq::eval {
namespace {

/// What was seen of one value.
struct Seen {
  at::Tensor first_image;
  bool varies = false;
};

class Comparison {
 public:
  explicit Comparison(const ir::Graph& graph) : graph_(graph) {}

  /// `value` holds one or more images; those that do not depend on the batch are left alone.
  void see(ir::ValueId id, const at::Tensor& value) {
    const ir::Dims& shape = graph_.values.at(static_cast<size_t>(id)).shape;
    if (shape.empty() || !shape.front().times_batch) return;
    Seen& seen = seen_[id];
    const int64_t rows = shape.front().value;
    for (int64_t at = 0; at + rows <= value.size(0) && !seen.varies; at += rows) {
      const at::Tensor image = value.narrow(0, at, rows);
      if (!seen.first_image.defined()) seen.first_image = image.clone();
      seen.varies = !at::equal(seen.first_image, image);
    }
  }

  bool is_constant(ir::ValueId id) const {
    const auto found = seen_.find(id);
    return found != seen_.end() && !found->second.varies;
  }
  bool is_zero(ir::ValueId id) const { return !seen_.at(id).first_image.any().item<bool>(); }

 private:
  const ir::Graph& graph_;
  std::unordered_map<ir::ValueId, Seen> seen_;
};

bool all_equal(const at::Tensor& images) {
  for (int64_t i = 1; i < images.size(0); ++i) {
    if (!at::equal(images[0], images[i])) return false;
  }
  return true;
}

/// Follows what depends on the images. A class token does not, even where a network concatenates it
/// with tokens that do and reads it out again.
class OfImages {
 public:
  explicit OfImages(const ir::Graph& graph) : graph_(graph), of_images_({graph.input}) {}

  /// In execution order.
  bool reads(const ir::Node& node) {
    const bool reads_images = std::any_of(node.inputs.begin(), node.inputs.end(),
                                          [&](ir::ValueId id) { return has(id); });
    if (!reads_images || reads_constants_alone(node)) return false;
    of_images_.insert(node.outputs.begin(), node.outputs.end());
    follow_constants(node);
    return true;
  }

 private:
  /// The first `count` along `dim`.
  struct Leading {
    int64_t dim, count;
  };

  bool has(ir::ValueId id) const { return of_images_.count(id) > 0; }

  bool reads_constants_alone(const ir::Node& node) const {
    const auto found = leading_.find(node.inputs[0]);
    if (found == leading_.end()) return false;
    const Leading& constants = found->second;
    if (const auto* select = node.as<ir::Select>()) {
      return select->dim == constants.dim && !select->index.times_batch &&
             select->index.value >= 0 && select->index.value < constants.count;
    }
    const auto* slice = node.as<ir::Slice>();
    return slice != nullptr && slice->dim == constants.dim && !slice->end.times_batch &&
           slice->start.value >= 0 && slice->end.value >= 0 && slice->end.value <= constants.count;
  }

  void follow_constants(const ir::Node& node) {
    if (const auto* concat = node.as<ir::Concat>()) {
      const auto dim = static_cast<size_t>(concat->dim);
      int64_t count = 0;
      for (const ir::ValueId input : node.inputs) {
        if (has(input)) break;
        count += graph_.values.at(static_cast<size_t>(input)).shape.at(dim).value;
      }
      if (count > 0) leading_[node.output()] = {concat->dim, count};
      return;
    }
    const auto found = leading_.find(node.inputs[0]);
    if (found == leading_.end()) return;
    const auto* norm = node.as<ir::LayerNorm>();
    const auto rank = graph_.values.at(static_cast<size_t>(node.output())).shape.size();
    const bool apart = norm != nullptr &&
                       found->second.dim < static_cast<int64_t>(rank) -
                                               static_cast<int64_t>(norm->normalized_shape.size());
    if (apart || node.is<ir::FakeQuantize>()) leading_[node.output()] = Leading(found->second);
  }

  const ir::Graph& graph_;
  std::unordered_set<ir::ValueId> of_images_;
  std::unordered_map<ir::ValueId, Leading> leading_;
};

/// Layers and activation quantizers that read something of the images, in execution order: a class
/// token, say, is the same for all by design.
std::vector<const ir::Node*> watched_nodes(const ir::Graph& graph) {
  OfImages of_images(graph);
  std::vector<const ir::Node*> watched;
  for (const ir::Node& node : graph.nodes) {
    const bool is_watched = ir::weighted(node.op) != nullptr || node.is<ir::FakeQuantize>();
    if (of_images.reads(node) && is_watched) watched.push_back(&node);
  }
  return watched;
}

std::unique_ptr<runtime::Executor> observed_network(const QuantizedNetwork& network,
                                                    runtime::Execution execution,
                                                    Comparison& comparison) {
  std::unordered_set<ir::ValueId> outputs;
  for (const ir::Node* node : watched_nodes(network.graph)) outputs.insert(node->output());
  runtime::ExecutorOptions options;
  options.observes = [outputs](const ir::Node& node) {
    return !node.inputs.empty() && outputs.count(node.inputs.front()) != 0;
  };
  options.observer = [&comparison](const ir::Node& node, const at::Tensor& value, int /*lane*/) {
    comparison.see(node.inputs.front(), value);
  };
  execution.threads = 1;  // one observer
  return runtime::make_executor(network, execution, options);
}

std::optional<ConstantLayer> first_constant(const ir::Graph& graph, const Comparison& comparison) {
  std::optional<ConstantLayer> first;
  for (const ir::Node* node : watched_nodes(graph)) {
    if (!comparison.is_constant(node->output())) continue;
    if (first) {
      ++first->after;
    } else {
      first = ConstantLayer{node->name, comparison.is_zero(node->output()), 0};
    }
  }
  return first;
}

}  // namespace

// Two images tell in almost every network that nothing is constant.
std::optional<ConstantLayer> constant_layer(const QuantizedNetwork& network,
                                            const at::Tensor& images,
                                            const runtime::Execution& execution) {
  const int64_t count = images.size(0);
  if (count < 2 || all_equal(images)) return std::nullopt;
  const c10::InferenceMode no_gradients;
  Comparison comparison(network.graph);
  const auto executor = observed_network(network, execution, comparison);
  comparison.see(network.graph.output, executor->run(images.narrow(0, 0, 2)));
  if (count > 2 && first_constant(network.graph, comparison)) {
    comparison.see(network.graph.output, executor->run(images.narrow(0, 2, count - 2)));
  }
  return first_constant(network.graph, comparison);
}

}  // namespace ptq::eval
