#include "passes/bits/second_order.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/softmax.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <random>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/ordered_sum.h"
#include "passes/bits/float_tape.h"
#include "ptq/base/error.h"
#include "quant/fake_quantize.h"
#include "runtime/onednn/one_thread.h"

namespace ptq::passes {
namespace {

/// r of second_order.h, [images, classes].
at::Tensor random_signs(int64_t images, int64_t classes, std::mt19937_64& random) {
  at::Tensor signs = at::empty({images, classes}, at::kFloat);
  for (int64_t i = 0; i < signs.numel(); ++i) {
    signs.data_ptr<float>()[i] = (random() & 1) != 0 ? 1.0F : -1.0F;
  }
  return signs;
}

/// v of second_order.h, for logits [1, classes].
at::Tensor direction(const at::Tensor& logits, const at::Tensor& signs) {
  const at::Tensor p = at::softmax(logits, 1);
  const at::Tensor s = p.sqrt().mul(signs);
  return s.sub(p.mul(s.sum()));
}

class Estimate {
 public:
  Estimate(const ir::Graph& graph, const std::vector<runtime::QuantizerVariant>& variants)
      : graph_(graph), variants_(variants) {
    for (const ir::Node& node : graph.nodes) {
      if (const auto* fake = node.as<ir::FakeQuantize>()) users_[fake->quantizer].push_back(&node);
      const ir::Weighted* layer = ir::weighted(node.op);
      if (layer != nullptr) users_[layer->weight_quantizer].push_back(&node);
    }
    for (const runtime::QuantizerVariant& variant : variants) note_weights(variant);
  }

  /// By variant.
  std::vector<double> of_image(const at::Tensor& image, const at::Tensor& signs) const {
    const runtime::OneThread one_thread;
    FloatTape tape(graph_, layers_);
    tape.backward(direction(tape.forward(image), signs));
    std::vector<double> losses;
    for (const runtime::QuantizerVariant& variant : variants_) {
      double change = 0;
      for (const ir::QuantizerId id : variant.quantizers) {
        for (const ir::Node* node : users(id)) change += change_by(tape, variant, id, *node);
      }
      losses.push_back(0.5 * change * change);
    }
    return losses;
  }

  /// What an image takes: values and weights, each with its derivative.
  int64_t bytes_of_image() const {
    int64_t numbers = 0;
    for (const ir::Value& value : graph_.values) {
      int64_t own = 2;
      for (const int64_t extent : ir::at_batch(value.shape, 1)) own *= extent;
      numbers += own;
    }
    for (const ir::Node* layer : layers_) numbers += ir::weighted(layer->op)->weight.value.numel();
    return numbers * static_cast<int64_t>(sizeof(float));
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
  std::unordered_map<ir::QuantizerId, std::vector<const ir::Node*>> users_;
  std::unordered_set<const ir::Node*> layers_;
  /// By table and layer: quantized weight minus float weight.
  std::unordered_map<std::pair<const void*, const ir::Node*>, at::Tensor, Hash> weight_changes_;
};

/// By image of a batch, in order, then by variant.
std::vector<std::vector<double>> of_images(const Estimate& estimate, const at::Tensor& batch,
                                           const at::Tensor& signs, int64_t at_once) {
  const int64_t count = batch.size(0);
  std::vector<std::vector<double>> losses(static_cast<size_t>(count));
  at::parallel_for(0, count, (count + at_once - 1) / at_once, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      losses[static_cast<size_t>(i)] =
          estimate.of_image(batch.narrow(0, i, 1).clone(), signs.narrow(0, i, 1));
    }
  });
  return losses;
}

}  // namespace

std::vector<double> second_order_losses(const ir::Graph& graph,
                                        const std::vector<runtime::QuantizerVariant>& variants,
                                        uint64_t seed, const runtime::Execution& execution,
                                        const NextBatch& next_batch) {
  const c10::InferenceMode gradients(false);
  const Estimate estimate(graph, variants);
  const int64_t memory = runtime::resolved(execution).activation_memory;
  const int64_t at_once = std::max<int64_t>(1, memory / estimate.bytes_of_image());
  const int64_t classes =
      ir::at_batch(graph.values.at(static_cast<size_t>(graph.output)).shape, 1).at(1);
  std::mt19937_64 random(seed);
  std::vector<double> means(variants.size(), 0);
  int64_t images = 0;
  while (const std::optional<at::Tensor> batch = next_batch()) {
    const at::Tensor signs = random_signs(batch->size(0), classes, random);
    for (const std::vector<double>& losses : of_images(estimate, *batch, signs, at_once)) {
      for (size_t i = 0; i < means.size(); ++i) means[i] += losses[i];
    }
    images += batch->size(0);
  }
  if (images == 0) throw DataError("there are no calibration images");
  for (double& mean : means) mean /= static_cast<double>(images);
  return means;
}

}  // namespace ptq::passes
