#include "import/operator_reach.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randperm.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <optional>

#include "ir/call_opaque.h"

namespace ptq::import {
namespace {

using Tensors = std::vector<at::Tensor>;

/// Draws of large values see all there is at once.
constexpr int64_t kManyElements = 1000;
constexpr int kDrawsOfFew = 4;

/// Decisions made all alike show each side of a choice whole. Integers moved by one show what zeros
/// hide: a product, a count.
enum class Base { kAsSeen, kTrue, kFalse, kMoved };

bool is_integer(const at::Tensor& value) {
  return !value.is_floating_point() && !value.is_complex() && value.scalar_type() != at::kBool;
}

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

  void try_with(const Tensors& values, Base kind);
  const Reach& reach() const { return reach_; }

 private:
  Tensors base_of(const Tensors& values, Base kind) const;
  void exchange(const Tensors& base, const at::Tensor& result, size_t input, size_t image);
  /// None where integers that were moved are no places.
  std::optional<at::Tensor> result_of(const Tensors& values, bool moved) const;

  const ir::Opaque& op_;
  const std::vector<Reach>& inputs_;
  Draws& draws_;
  Reach reach_;
};

Tensors Trials::base_of(const Tensors& values, Base kind) const {
  Tensors base = values;
  for (size_t i = 0; i < base.size(); ++i) {
    if (!is_reached(inputs_[i])) continue;
    if (base[i].is_floating_point()) base[i] = draws_.floats(base[i].sizes().vec());
    if (is_integer(base[i]) && kind == Base::kMoved) base[i] = base[i].add(1);
    const bool decides = kind == Base::kTrue || kind == Base::kFalse;
    if (base[i].scalar_type() == at::kBool && decides) {
      base[i] = at::full_like(base[i], kind == Base::kTrue);
    }
  }
  return base;
}

std::optional<at::Tensor> Trials::result_of(const Tensors& values, bool moved) const {
  try {
    return ir::call_opaque(op_, values, kFirstBatch);
  } catch (const c10::Error&) {
    if (!moved) throw;
    return std::nullopt;
  }
}

void Trials::exchange(const Tensors& base, const at::Tensor& result, size_t input, size_t image) {
  const at::Tensor& mask = inputs_[input][image];
  if (!mask.defined()) return;
  for (size_t way = 0; way < ways_of(base[input]); ++way) {
    Tensors others = base;
    others[input] = draws_.others(base[input], mask, way);
    const auto other = result_of(others, is_integer(base[input]) && way > 0);
    if (!other) continue;
    const at::Tensor changed = changes(result, *other);
    at::Tensor& reached = reach_[image];
    reached = changed.defined() ? reached.logical_or(changed) : at::full_like(reached, true);
  }
}

void Trials::try_with(const Tensors& values, Base kind) {
  const Tensors base = base_of(values, kind);
  const auto result = result_of(base, kind == Base::kMoved);
  if (!result) return;
  for (size_t input = 0; input < base.size(); ++input) {
    for (size_t image = 0; image < reach_.size(); ++image) exchange(base, *result, input, image);
  }
}

bool any_of(const Tensors& values, bool (*is)(const at::Tensor&)) {
  return std::any_of(values.begin(), values.end(), is);
}

bool is_decision(const at::Tensor& value) { return value.scalar_type() == at::kBool; }

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

size_t ways_of(const at::Tensor& value) {
  if (value.scalar_type() == at::kBool) return 1;
  return value.is_floating_point() ? kFactors.size() : 1 + kMoves.size();
}

at::Tensor Draws::without_zeros(const at::Tensor& value) {
  if (value.is_floating_point()) return floats(value.sizes().vec());
  return value.scalar_type() == at::kBool ? at::full_like(value, true) : value.add(1);
}

at::Tensor Draws::others(const at::Tensor& value, const at::Tensor& mask, size_t way) {
  if (value.scalar_type() == at::kBool) return value.logical_xor(mask);
  if (value.is_floating_point()) {
    return at::where(mask, floats(value.sizes().vec()).mul(kFactors.at(way)), value);
  }
  if (way > 0) return at::where(mask, value.add(kMoves.at(way - 1)), value);
  const at::Tensor order = at::randperm(value.numel(), generator_, at::kLong);
  return at::where(mask, value.flatten().index_select(0, order).view(value.sizes()), value);
}

Reach reach_through(const ir::Opaque& op, const std::vector<Reach>& inputs, const Tensors& values,
                    const ir::Ints& shape, Draws& draws) {
  Trials trials(op, inputs, shape, draws);
  const bool decides = any_of(values, is_decision), counts = any_of(values, is_integer);
  try {
    const int rounds = trials.reach().front().numel() < kManyElements ? kDrawsOfFew : 1;
    for (int round = 0; round < rounds; ++round) {
      trials.try_with(values, Base::kAsSeen);
      if (decides) trials.try_with(values, Base::kTrue);
      if (decides) trials.try_with(values, Base::kFalse);
      if (counts) trials.try_with(values, Base::kMoved);
    }
    return trials.reach();
  } catch (const c10::Error&) {  // it does not take such numbers
    return everywhere(inputs, shape);
  }
}

}  // namespace ptq::import
