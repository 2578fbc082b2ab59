#include "eval/guards.h"

#include <algorithm>
#include <cmath>

#include "quant/statistics.h"

namespace ptq::eval {
namespace {

constexpr int64_t kFewestImages = 20;

bool at_chance(const Accuracy& accuracy, int64_t classes) {
  if (accuracy.count < kFewestImages || classes < 2) return false;
  const auto n = static_cast<double>(accuracy.count);
  const double p = 1.0 / static_cast<double>(classes);
  return static_cast<double>(accuracy.correct) <= n * p + 3 * std::sqrt(n * p * (1 - p));
}

bool one_answer(const std::vector<int64_t>& predictions) {
  return static_cast<int64_t>(predictions.size()) >= kFewestImages &&
         std::adjacent_find(predictions.begin(), predictions.end(), std::not_equal_to<>()) ==
             predictions.end();
}

/// Empty where there is nothing to say. Zero values give the smallest scale or, with powers of two,
/// one below twice that.
std::string fault_of(const at::Tensor& scale, const char* values) {
  if (!scale.defined()) return "";
  if (!scale.isfinite().all().item<bool>()) return " has a scale that is not finite";
  if (scale.max().item<float>() > 2 * quant::kSmallestScale) return "";
  return std::string(" has a zero scale: its ") + values;
}

const char* what_is_wrong_with(const at::Tensor& weight) {
  const bool zero = !weight.defined() || weight.eq(0).all().item<bool>();
  return zero ? "weights are all zero" : "weights are smaller than the smallest scale";
}

std::string of_images(int64_t part, int64_t whole) {
  return std::to_string(part) + " of " + std::to_string(whole) + " images";
}

}  // namespace

std::vector<std::string> suspicions(const std::string& what, const Evaluation& evaluation) {
  std::vector<std::string> sentences;
  const Accuracy& accuracy = evaluation.accuracy;
  if (at_chance(accuracy, evaluation.classes)) {
    sentences.push_back("the " + what + " network is no better than guessing: " +
                        of_images(accuracy.correct, accuracy.count) + " right with " +
                        std::to_string(evaluation.classes) + " classes");
  }
  if (one_answer(evaluation.predictions)) {
    sentences.push_back("the " + what + " network gives every image the same class");
  }
  if (evaluation.not_finite > 0) {
    sentences.push_back("the " + what + " network gives logits that are not finite for " +
                        of_images(evaluation.not_finite, accuracy.count));
  }
  return sentences;
}

std::vector<std::string> suspicions_of_pair(const Evaluation& float_evaluation,
                                            const Evaluation& quantized) {
  if (quantized.fingerprints.empty() || float_evaluation.fingerprints != quantized.fingerprints) {
    return {};
  }
  return {"the quantized logits equal the float logits on every image: nothing was quantized"};
}

std::vector<std::string> suspicions_of_scales(const QuantizedNetwork& network) {
  std::vector<std::string> sentences;
  const auto look = [&](const std::string& name, ir::QuantizerId id, const char* values) {
    const std::string fault = fault_of(network.table.scale_of(id).value, values);
    if (!fault.empty()) sentences.push_back(name + fault);
  };
  for (const ir::Node& node : network.graph.nodes) {
    if (const auto* fake = node.as<ir::FakeQuantize>()) {
      look(node.name, fake->quantizer, "values were zero on all calibration images");
    }
    const ir::Weighted* layer = ir::weighted(node.op);
    if (layer != nullptr && layer->weight_quantizer != ir::kNoQuantizer) {
      look(node.name, layer->weight_quantizer, what_is_wrong_with(layer->weight.value));
    }
  }
  return sentences;
}

std::vector<std::string> suspicions_of_layers(const std::optional<ConstantLayer>& constant) {
  if (!constant) return {};
  std::string sentence = constant->name + " gives the same output for every image" +
                         (constant->is_zero ? ", zero everywhere" : "");
  if (constant->after > 0) {
    sentence +=
        ", and so do " + std::to_string(constant->after) + " layers and quantizers behind it";
  }
  return {sentence};
}

}  // namespace ptq::eval
