#pragma once

#include <memory>

#include "ptq/base/error.h"
#include "quant/activation_statistic.h"

namespace ptq::quant {

/// Counts values and complete passes for `Derived`, which has start(pass), take(values, count),
/// absorb(other), finish(pass) and threshold().
template <class Derived>
class CountedStatistic : public ActivationStatistic {
 public:
  explicit CountedStatistic(int64_t count) : count_(count) {}

  std::unique_ptr<ActivationStatistic> clone() const final {
    return std::make_unique<Derived>(self());
  }
  void begin_pass(int pass) final {
    seen_ = 0;
    self().start(pass);
  }
  void add(const float* values, int64_t count) final {
    if (count == 0) return;
    seen_ += count;
    self().take(values, count);
  }
  void merge(const ActivationStatistic& other) final {
    const auto& same = dynamic_cast<const Derived&>(other);
    seen_ += same.seen_;
    self().absorb(same);
  }
  void end_pass(int pass) final {
    if (seen_ != count_) throw InternalError("a pass of a statistic ended before all values came");
    ++complete_passes_;
    self().finish(pass);
  }
  ActivationThreshold result() const final {
    if (complete_passes_ != passes()) throw InternalError("a statistic lacks a pass");
    return self().threshold();
  }

 private:
  Derived& self() { return static_cast<Derived&>(*this); }
  const Derived& self() const { return static_cast<const Derived&>(*this); }

  int64_t count_;
  int64_t seen_ = 0;
  int complete_passes_ = 0;
};

}  // namespace ptq::quant
