#include "import/operator_reach.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randperm.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "ir/call_opaque.h"

namespace ptq::import {
namespace {

using Tensors = std::vector<at::Tensor>;

/// Draws of large values see all there is at once.
constexpr int64_t kManyElements = 1000;
constexpr int kDrawsOfFew = 4;

/// Decisions made all alike show each side of a choice whole.
enum class Decisions { kAsSeen, kTrue, kFalse };

/// Where an operator's result is another; undefined where it is not of the same extents.
at::Tensor changes(const at::Tensor& base, const at::Tensor& other) {
  if (base.sizes() != other.sizes()) return {};
  const at::Tensor both_none = base.ne(base).logical_and(other.ne(other));  // not a number
  return base.ne(other).logical_and(both_none.logical_not());
}

/// One operator that is called again and again.
class Trials {
 public:
  Trials(const ir::Opaque& op, const std::vector<Reach>& inputs, const ir::Ints& shape,
         Draws& draws)
      : op_(op), inputs_(inputs), draws_(draws) {
    for (at::Tensor& mask : reach_) mask = at::zeros(shape, at::kBool);
  }

  void try_with(const Tensors& values, Decisions decisions);
  const Reach& reach() const { return reach_; }

 private:
  Tensors base_of(const Tensors& values, Decisions decisions) const;
  void exchange(const Tensors& base, const at::Tensor& result, size_t input, size_t image);

  const ir::Opaque& op_;
  const std::vector<Reach>& inputs_;
  Draws& draws_;
  Reach reach_;
};

Tensors Trials::base_of(const Tensors& values, Decisions decisions) const {
  Tensors base = values;
  for (size_t i = 0; i < base.size(); ++i) {
    if (!is_reached(inputs_[i])) continue;
    if (base[i].is_floating_point()) base[i] = draws_.floats(base[i].sizes().vec());
    const bool decides = base[i].scalar_type() == at::kBool && decisions != Decisions::kAsSeen;
    if (decides) base[i] = at::full_like(base[i], decisions == Decisions::kTrue);
  }
  return base;
}

void Trials::exchange(const Tensors& base, const at::Tensor& result, size_t input, size_t image) {
  const at::Tensor& mask = inputs_[input][image];
  if (!mask.defined()) return;
  for (const double factor : kFactors) {
    Tensors others = base;
    others[input] = draws_.others(base[input], mask, factor);
    const at::Tensor changed = changes(result, ir::call_opaque(op_, others, kFirstBatch));
    at::Tensor& reached = reach_[image];
    reached = changed.defined() ? reached.logical_or(changed) : at::full_like(reached, true);
    if (!base[input].is_floating_point()) return;
  }
}

void Trials::try_with(const Tensors& values, Decisions decisions) {
  const Tensors base = base_of(values, decisions);
  const at::Tensor result = ir::call_opaque(op_, base, kFirstBatch);
  for (size_t input = 0; input < base.size(); ++input) {
    for (size_t image = 0; image < reach_.size(); ++image) exchange(base, result, input, image);
  }
}

/// Every image that reaches an input reaches all of the result.
Reach everywhere(const std::vector<Reach>& inputs, const ir::Ints& shape) {
  Reach reach;
  for (size_t image = 0; image < reach.size(); ++image) {
    const bool any = std::any_of(inputs.begin(), inputs.end(),
                                 [&](const Reach& input) { return input[image].defined(); });
    if (any) reach[image] = at::zeros({}, at::kBool).logical_not().expand(shape);
  }
  return reach;
}

}  // namespace

Draws::Draws() : generator_(at::detail::createCPUGenerator(1)) {}

at::Tensor Draws::floats(const ir::Ints& shape) {
  return at::rand(shape, generator_).mul(0.8).add(0.1);
}

at::Tensor Draws::others(const at::Tensor& value, const at::Tensor& mask, double factor) {
  if (value.scalar_type() == at::kBool) return value.logical_xor(mask);
  if (value.is_floating_point()) {
    return at::where(mask, floats(value.sizes().vec()).mul(factor), value);
  }
  const at::Tensor order = at::randperm(value.numel(), generator_, at::kLong);
  return at::where(mask, value.flatten().index_select(0, order).view(value.sizes()), value);
}

Reach reach_through(const ir::Opaque& op, const std::vector<Reach>& inputs, const Tensors& values,
                    const ir::Ints& shape, Draws& draws) {
  Trials trials(op, inputs, shape, draws);
  const bool decides = std::any_of(values.begin(), values.end(), [](const at::Tensor& value) {
    return value.scalar_type() == at::kBool;
  });
  try {
    const int rounds = trials.reach().front().numel() < kManyElements ? kDrawsOfFew : 1;
    for (int round = 0; round < rounds; ++round) {
      trials.try_with(values, Decisions::kAsSeen);
      if (decides) trials.try_with(values, Decisions::kTrue);
      if (decides) trials.try_with(values, Decisions::kFalse);
    }
    return trials.reach();
  } catch (const c10::Error&) {  // it does not take such numbers
    return everywhere(inputs, shape);
  }
}

}  // namespace ptq::import
