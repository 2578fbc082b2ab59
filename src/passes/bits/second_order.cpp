#include "passes/bits/second_order.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/softmax.h>
#include <c10/core/InferenceMode.h>

#include <random>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/ordered_sum.h"
#include "passes/bits/float_tape.h"
#include "ptq/base/error.h"
#include "quant/fake_quantize.h"

namespace ptq::passes {
namespace {

/// v of second_order.h, for logits [1, classes].
at::Tensor random_direction(const at::Tensor& logits, std::mt19937_64& random) {
  const at::Tensor p = at::softmax(logits, 1);
  at::Tensor signs = at::empty(logits.sizes(), at::kFloat);
  for (int64_t i = 0; i < signs.numel(); ++i) {
    signs.data_ptr<float>()[i] = (random() & 1) != 0 ? 1.0F : -1.0F;
  }
  const at::Tensor s = p.sqrt().mul(signs);
  return s.sub(p.mul(s.sum()));
}

class Estimate {
 public:
  Estimate(const ir::Graph& graph, const std::vector<runtime::QuantizerVariant>& variants,
           uint64_t seed)
      : graph_(graph), variants_(variants), random_(seed), sums_(variants.size(), 0) {
    for (const ir::Node& node : graph.nodes) {
      if (const auto* fake = node.as<ir::FakeQuantize>()) users_[fake->quantizer].push_back(&node);
      const ir::Weighted* layer = ir::weighted(node.op);
      if (layer != nullptr) users_[layer->weight_quantizer].push_back(&node);
    }
    for (const runtime::QuantizerVariant& variant : variants) note_weights(variant);
  }

  void add(const at::Tensor& image) {
    FloatTape tape(graph_, layers_);
    tape.backward(random_direction(tape.forward(image), random_));
    for (size_t i = 0; i < variants_.size(); ++i) {
      double change = 0;
      for (const ir::QuantizerId id : variants_[i].quantizers) {
        for (const ir::Node* node : users(id)) change += change_by(tape, variants_[i], id, *node);
      }
      sums_[i] += 0.5 * change * change;
    }
    ++images_;
  }

  std::vector<double> results() const {
    if (images_ == 0) throw DataError("there are no calibration images");
    std::vector<double> means = sums_;
    for (double& mean : means) mean /= static_cast<double>(images_);
    return means;
  }

 private:
  const std::vector<const ir::Node*>& users(ir::QuantizerId id) const {
    static const std::vector<const ir::Node*> kNone;
    const auto found = users_.find(id);
    return found == users_.end() ? kNone : found->second;
  }

  void note_weights(const runtime::QuantizerVariant& variant) {
    for (const ir::QuantizerId id : variant.quantizers) {
      for (const ir::Node* node : users(id)) {
        const ir::Weighted* layer = ir::weighted(node->op);
        if (layer == nullptr) continue;
        layers_.insert(node);
        const at::Tensor& weight = layer->weight.value;
        weight_changes_[{variant.from.get(), node}] =
            quant::fake_quantize_weight(weight, *variant.from, id).sub(weight);
      }
    }
  }

  /// g · d of one use of one quantizer.
  double change_by(const FloatTape& tape, const runtime::QuantizerVariant& variant,
                   ir::QuantizerId id, const ir::Node& node) const {
    if (ir::weighted(node.op) != nullptr) {
      const at::Tensor gradient = tape.by_weight(node);
      if (!gradient.defined()) return 0;
      return sum_of_products(gradient, weight_changes_.at({variant.from.get(), &node}));
    }
    const at::Tensor gradient = tape.by_value(node.output());
    if (!gradient.defined()) return 0;
    const at::Tensor x = tape.value(node.inputs.at(0)).contiguous();
    return sum_of_products(gradient, quant::fake_quantize_activation(x, *variant.from, id).sub(x));
  }

  struct Hash {
    size_t operator()(const std::pair<const void*, const ir::Node*>& key) const {
      return std::hash<const void*>()(key.first) ^ (std::hash<const void*>()(key.second) << 1);
    }
  };

  const ir::Graph& graph_;
  const std::vector<runtime::QuantizerVariant>& variants_;
  std::mt19937_64 random_;
  std::unordered_map<ir::QuantizerId, std::vector<const ir::Node*>> users_;
  std::unordered_set<const ir::Node*> layers_;
  /// By table and layer: quantized weight minus float weight.
  std::unordered_map<std::pair<const void*, const ir::Node*>, at::Tensor, Hash> weight_changes_;
  std::vector<double> sums_;
  int64_t images_ = 0;
};

}  // namespace

std::vector<double> second_order_losses(const ir::Graph& graph,
                                        const std::vector<runtime::QuantizerVariant>& variants,
                                        uint64_t seed, const NextBatch& next_batch) {
  const c10::InferenceMode gradients(false);
  Estimate estimate(graph, variants, seed);
  while (const std::optional<at::Tensor> batch = next_batch()) {
    for (int64_t i = 0; i < batch->size(0); ++i) estimate.add(batch->narrow(0, i, 1).clone());
  }
  return estimate.results();
}

}  // namespace ptq::passes
