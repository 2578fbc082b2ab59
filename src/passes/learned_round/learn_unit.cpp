#include "passes/learned_round/learn_unit.h"

#include <ATen/ops/empty_like.h>
#include <ATen/ops/sub.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "base/ordered_sum.h"
#include "passes/bias_correction/shift_bias.h"
#include "passes/learned_round/learning.h"
#include "passes/learned_round/scale_learning.h"
#include "ptq/base/error.h"

namespace ptq::passes {
namespace {

/// The regularised loss sums over channels.
int64_t channel_axis(const at::Tensor& output) { return output.dim() > 3 ? 1 : output.dim() - 1; }

/// [channels, all else].
at::Tensor by_channel(const at::Tensor& output) {
  return output.transpose(0, channel_axis(output)).flatten(1);
}

constexpr int64_t kImagesAtOnce = 16;

/// Calls `use` with the numbers of images begin .. begin + kImagesAtOnce - 1, and so on.
void for_images(int64_t count, const std::function<void(const std::vector<int64_t>&)>& use) {
  for (int64_t begin = 0; begin < count; begin += kImagesAtOnce) {
    std::vector<int64_t> some(static_cast<size_t>(std::min(kImagesAtOnce, count - begin)));
    std::iota(some.begin(), some.end(), begin);
    use(some);
  }
}

/// What kRelative multiplies squared errors with, in as many dimensions as the output has.
at::Tensor relative_weights(const ValueOfImages& target) {
  at::Tensor energy, shape;
  for_images(target.count(), [&](const std::vector<int64_t>& images) {
    shape = target.gather(images);
    const at::Tensor own = by_channel(shape).square().sum(1, false, at::kDouble);
    energy = energy.defined() ? energy.add(own) : own;
  });
  // A channel that is always zero has no part of itself to lose.
  const double least = 1e-6 * energy.mean().item<double>();
  const at::Tensor inverse = energy.clamp_min(std::max(least, 1e-30)).reciprocal();
  std::vector<int64_t> sizes(static_cast<size_t>(shape.dim()), 1);
  sizes[static_cast<size_t>(channel_axis(shape))] = energy.numel();
  return inverse.div(inverse.mean()).to(at::kFloat).view(sizes);
}

class UnitLearning {
 public:
  UnitLearning(UnitNetwork& network, UnitPlan* plan, const UnitImages& images,
               quant::QuantizerTable& table, const LearnedRoundOptions& options, uint64_t seed)
      : network_(network),
        plan_(plan),
        images_(images),
        options_(options),
        seed_(static_cast<uint32_t>(seed)),
        sampler_(images.quantized.count(), seed),
        scales_(table, plan == nullptr ? std::vector<quant::ScaleId>() : plan->scales(),
                plan == nullptr ? std::vector<double>() : plan->least_scales()) {
    for (const ir::Node* layer : network.layers()) {
      const ir::Weighted& weighted = *ir::weighted(layer->op);
      weights_.emplace_back(weighted.weight.value.contiguous(), table, weighted.weight_quantizer,
                            options);
    }
    if (options.channel_error == ChannelError::kRelative) {
      channel_weights_ = relative_weights(images.target);
    }
  }

  void step(int64_t t);
  Tensors nearest() const;
  Tensors decided() const;
  /// Mean square of the difference to the target over all images.
  double error(const Tensors& weights);
  double moved() const;
  void restore_scales() { scales_.restore(); }
  /// By channel of the output.
  at::Tensor mean_error(const Tensors& weights);

 private:
  Tensors soft() const;
  /// Output minus target, batch by batch over all images.
  void for_differences(const Tensors& weights, const std::function<void(const at::Tensor&)>& use);
  /// By some of a step's outputs, which has as many numbers as `all`.
  void by_output(const at::Tensor& output, const at::Tensor& target, int64_t all,
                 at::Tensor& to) const;
  UnitPlan::Gradients gradients(const at::Tensor& input, const at::Tensor& target,
                                const Dropping& dropping);

  UnitNetwork& network_;
  /// Takes the steps, unless nullptr.
  UnitPlan* plan_;
  const UnitImages& images_;
  const LearnedRoundOptions& options_;
  uint32_t seed_;
  ImageSampler sampler_;
  std::vector<RoundedWeight> weights_;
  ScaleLearning scales_;
  /// Undefined: all alike.
  at::Tensor channel_weights_;
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

void UnitLearning::by_output(const at::Tensor& output, const at::Tensor& target, int64_t all,
                             at::Tensor& to) const {
  const bool is_mean = options_.loss == RoundingLoss::kMse;
  const int64_t summed = is_mean ? 1 : output.size(channel_axis(output));
  at::sub_out(to, output, target)
      .mul_(2.0 * static_cast<double>(summed) / static_cast<double>(all));
  if (channel_weights_.defined()) to.mul_(channel_weights_);
}

UnitPlan::Gradients UnitLearning::gradients(const at::Tensor& input, const at::Tensor& target,
                                            const Dropping& dropping) {
  if (plan_) {
    return plan_->gradients(
        input, soft(), dropping, [&](const at::Tensor& output, int64_t first, at::Tensor& to) {
          by_output(output, target.narrow(0, first, output.size(0)), target.numel(), to);
        });
  }
  const at::Tensor output = network_.forward(input, soft(), dropping);
  at::Tensor gradient = at::empty_like(output);
  by_output(output, target, target.numel(), gradient);
  return {network_.backward(gradient), {}};
}

void UnitLearning::step(int64_t t) {
  const std::vector<int64_t> drawn =
      sampler_.next(options_.batch_size.value_or(images_.quantized.count()));
  const Dropping dropping = Dropping{options_.drop_activations, seed_}.of(static_cast<uint32_t>(t));
  const Planes planes = plan_ != nullptr ? plan_->planes() : Planes::kRowMajor;
  at::Tensor input = images_.quantized.gather(drawn, planes);
  if (dropping.probability > 0) {
    constexpr uint32_t kOfInput = 0xFFFF;
    input = mixed(images_.original.gather(drawn, planes), input, dropping.of(kOfInput));
  }
  const UnitPlan::Gradients by = gradients(input, images_.target.gather(drawn, planes), dropping);
  for (size_t i = 0; i < weights_.size(); ++i) weights_[i].step(by.by_weights[i], t);
  scales_.step(by.by_scales, options_.activation_learning_rate * rate_share(options_, t));
}

void UnitLearning::for_differences(const Tensors& weights,
                                   const std::function<void(const at::Tensor&)>& use) {
  for_images(images_.quantized.count(), [&](const std::vector<int64_t>& images) {
    const auto count = static_cast<int64_t>(images.size());
    const bool by_plan = plan_ != nullptr && plan_->takes(count);
    const Planes planes = by_plan ? plan_->planes() : Planes::kRowMajor;
    const at::Tensor input = images_.quantized.gather(images, planes);
    const at::Tensor output =
        by_plan ? plan_->forward(input, count, weights) : network_.forward(input, weights);
    use(output.sub(images_.target.gather(images, planes)));
  });
}

double UnitLearning::error(const Tensors& weights) {
  double sum = 0;
  int64_t numbers = 0;
  for_differences(weights, [&](const at::Tensor& difference) {
    at::Tensor squares = difference.square();
    if (channel_weights_.defined()) squares.mul_(channel_weights_);
    sum += ordered_sum(squares);
    numbers += difference.numel();
  });
  return sum / static_cast<double>(numbers);
}

at::Tensor UnitLearning::mean_error(const Tensors& weights) {
  at::Tensor sum;
  int64_t numbers = 0;
  for_differences(weights, [&](const at::Tensor& difference) {
    const at::Tensor errors = by_channel(difference);
    const at::Tensor own = errors.sum(1, false, at::kDouble);
    sum = sum.defined() ? sum.add(own) : own;
    numbers += errors.size(1);
  });
  return sum.div(static_cast<double>(numbers)).to(at::kFloat);
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

RoundedUnit learn_unit(UnitNetwork& network, UnitPlan* plan, const UnitImages& images,
                       quant::QuantizerTable& table, const LearnedRoundOptions& options,
                       uint64_t seed) {
  UnitLearning learning(network, plan, images, table, options, seed);
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
    learning.restore_scales();
  }
  if (options.correct_biases) {
    if (weights.size() > 1) throw InternalError("biases are corrected by layer, not by block");
    shift_bias(*ir::weighted(network.layers().front()->op), learning.mean_error(weights).neg());
  }
  for (size_t i = 0; i < weights.size(); ++i) {
    ir::weighted(network.layers()[i]->op)->weight.value = weights[i];
  }
  return unit;
}

}  // namespace ptq::passes
