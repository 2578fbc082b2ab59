#include "passes/learned_round/learn_unit.h"

#include <algorithm>
#include <numeric>

#include "passes/learned_round/learning.h"

namespace ptq::passes {
namespace {

/// Numbers that the channels of one position make up, over which the regularised loss sums.
int64_t channels_of(const at::Tensor& output) {
  return output.dim() > 3 ? output.size(1) : output.size(-1);
}

class UnitLearning {
 public:
  UnitLearning(UnitNetwork& network, const UnitImages& images, const quant::QuantizerTable& table,
               const LearnedRoundOptions& options, uint64_t seed)
      : network_(network),
        images_(images),
        options_(options),
        seed_(static_cast<uint32_t>(seed)),
        sampler_(images.quantized.count(), seed) {
    for (const ir::Node* layer : network.layers()) {
      const ir::Weighted& weighted = *ir::weighted(layer->op);
      weights_.emplace_back(weighted.weight.value.contiguous(), table, weighted.weight_quantizer,
                            options);
    }
  }

  void step(int64_t t);
  Tensors nearest() const;
  Tensors decided() const;
  /// Mean square of the difference to the target over all images.
  double error(const Tensors& weights);
  double moved() const;

 private:
  Tensors soft() const;
  at::Tensor by_output(const at::Tensor& output, const at::Tensor& target) const;

  UnitNetwork& network_;
  const UnitImages& images_;
  const LearnedRoundOptions& options_;
  uint32_t seed_;
  ImageSampler sampler_;
  std::vector<RoundedWeight> weights_;
};

Tensors UnitLearning::soft() const {
  Tensors tensors;
  for (const RoundedWeight& weight : weights_) tensors.push_back(weight.variables().soft());
  return tensors;
}

Tensors UnitLearning::nearest() const {
  Tensors tensors;
  for (const RoundedWeight& weight : weights_) tensors.push_back(weight.variables().nearest());
  return tensors;
}

Tensors UnitLearning::decided() const {
  Tensors tensors;
  for (const RoundedWeight& weight : weights_) tensors.push_back(weight.variables().decided());
  return tensors;
}

at::Tensor UnitLearning::by_output(const at::Tensor& output, const at::Tensor& target) const {
  const bool is_mean = options_.loss == RoundingLoss::kMse;
  const int64_t summed = is_mean ? 1 : channels_of(output);
  return output.sub(target).mul_(2.0 * static_cast<double>(summed) /
                                 static_cast<double>(output.numel()));
}

void UnitLearning::step(int64_t t) {
  const std::vector<int64_t> drawn =
      sampler_.next(options_.batch_size.value_or(images_.quantized.count()));
  const Dropping dropping = Dropping{options_.drop_activations, seed_}.of(static_cast<uint32_t>(t));
  at::Tensor input = images_.quantized.gather(drawn);
  if (dropping.probability > 0) {
    constexpr uint32_t kOfInput = 0xFFFF;
    input = mixed(images_.original.gather(drawn), input, dropping.of(kOfInput));
  }
  const at::Tensor output = network_.forward(input, soft(), dropping);
  const Tensors by_weights = network_.backward(by_output(output, images_.target.gather(drawn)));
  for (size_t i = 0; i < weights_.size(); ++i) weights_[i].step(by_weights[i], t);
}

double UnitLearning::error(const Tensors& weights) {
  constexpr int64_t kBatch = 16;
  const int64_t count = images_.quantized.count();
  double sum = 0;
  int64_t numbers = 0;
  for (int64_t begin = 0; begin < count; begin += kBatch) {
    std::vector<int64_t> some(static_cast<size_t>(std::min(kBatch, count - begin)));
    std::iota(some.begin(), some.end(), begin);
    const at::Tensor output = network_.forward(images_.quantized.gather(some), weights);
    sum += output.sub(images_.target.gather(some)).square_().sum(at::kDouble).item<double>();
    numbers += output.numel();
  }
  return sum / static_cast<double>(numbers);
}

double UnitLearning::moved() const {
  double moved = 0;
  double all = 0;
  for (const RoundedWeight& weight : weights_) {
    const auto numbers = static_cast<double>(weight.variables().v().numel());
    moved += weight.moved() * numbers;
    all += numbers;
  }
  return moved / all;
}

}  // namespace

RoundedUnit learn_unit(UnitNetwork& network, const UnitImages& images,
                       const quant::QuantizerTable& table, const LearnedRoundOptions& options,
                       uint64_t seed) {
  UnitLearning learning(network, images, table, options, seed);
  RoundedUnit unit;
  unit.layers = static_cast<int>(network.layers().size());
  unit.error_before = unit.error_after = learning.error(learning.nearest());
  for (int64_t t = 1; t <= options.iterations; ++t) learning.step(t);
  Tensors weights = learning.decided();
  const double error = learning.error(weights);
  if (error < unit.error_before) {
    unit.error_after = error;
    unit.moved = learning.moved();
  } else {
    weights = learning.nearest();
  }
  for (size_t i = 0; i < weights.size(); ++i) {
    ir::weighted(network.layers()[i]->op)->weight.value = weights[i];
  }
  return unit;
}

}  // namespace ptq::passes
