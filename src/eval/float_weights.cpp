#include "eval/float_weights.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "ir/facts.h"
#include "quant/bias_range.h"

namespace ptq::eval {
namespace {

constexpr size_t kNamedPlaces = 8;

std::string place_of(const ir::Node& node) {
  const auto* opaque = node.as<ir::Opaque>();
  return node.name + " (" + (opaque ? opaque->schema : std::string(ir::op_name(node.op))) + ")";
}

/// Counts weights, each once.
class Count {
 public:
  void layer(const ir::Node& node, const ir::Weighted& layer) {
    const bool in_float = layer.weight_quantizer == ir::kNoQuantizer;
    const auto key = std::make_pair(layer.weight.name, layer.weight.value.numel());
    if (layers_.insert(key).second) add(layer.weight.value.numel(), in_float);
    if (in_float) place(node);
  }
  void outside(const ir::WeightUse& use) {
    if (constants_.insert(use.weight.unsafeGetTensorImpl()).second) add(use.weight.numel(), true);
    place(*use.node);
  }

  FloatWeights result() {
    if (values_ > 0)
      weights_.share = static_cast<double>(float_values_) / static_cast<double>(values_);
    return weights_;
  }

 private:
  void add(int64_t values, bool in_float) {
    ++weights_.of;
    values_ += values;
    if (!in_float) return;
    ++weights_.count;
    float_values_ += values;
  }
  void place(const ir::Node& node) {
    const std::string name = place_of(node);
    auto& places = weights_.places;
    if (std::find(places.begin(), places.end(), name) == places.end()) places.push_back(name);
  }

  FloatWeights weights_;
  std::set<std::pair<std::string, int64_t>> layers_;
  std::set<const void*> constants_;
  int64_t values_ = 0, float_values_ = 0;
};

}  // namespace

FloatWeights float_weights(const ir::Graph& graph) {
  Count count;
  for (const ir::Node& node : graph.nodes) {
    if (const ir::Weighted* layer = ir::weighted(node.op)) count.layer(node, *layer);
  }
  for (const ir::WeightUse& use : ir::weights_outside_layers(graph)) count.outside(use);
  return count.result();
}

bool is_mostly_float(const FloatWeights& weights) { return weights.share > 0.5; }

std::string words(const FloatWeights& weights) {
  if (weights.count == 0) return "";
  std::string text = is_mostly_float(weights) ? "most of the network is not quantized: " : "";
  text += std::to_string(weights.count) + " of " + std::to_string(weights.of) +
          " weights stay in float (" + std::to_string(std::lround(100 * weights.share)) +
          " % of their values): ";
  const size_t named = std::min(kNamedPlaces, weights.places.size());
  for (size_t i = 0; i < named; ++i) text += (i == 0 ? "" : ", ") + weights.places[i];
  const size_t rest = weights.places.size() - named;
  return rest == 0 ? text : text + " and " + std::to_string(rest) + " more";
}

std::vector<std::string> explanation(const FloatWeights& weights) {
  std::vector<std::string> lines;
  for (const std::string& place : weights.places) lines.push_back("stays in float: " + place);
  return lines;
}

std::vector<std::string> suspicions_of_biases(const QuantizedNetwork& network) {
  std::vector<std::string> sentences;
  ir::Graph copy = network.graph;
  const ir::Index index(copy);
  for (const ir::Node& node : copy.nodes) {
    const quant::BiasRange range = quant::bias_range(index, node, network.table);
    if (range.outside == 0) continue;
    sentences.push_back(node.name + ": " + std::to_string(range.outside) + " of " +
                        std::to_string(range.of) + " biases do not fit " +
                        std::to_string(range.bit_width) + " bits and saturate");
  }
  return sentences;
}

}  // namespace ptq::eval
