#pragma once

#include <vector>

#include "runtime/plan/program.h"

namespace ptq::runtime {

/// A program with memory of its own: what one thread works in.
class Lane {
 public:
  /// `program` outlives the lane.
  explicit Lane(const Program& program);

  /// Images [n, 3, H, W] with n up to the micro-batch to rows of `logits` [n, classes]. `observer`
  /// may be empty; it needs a micro-batch of 1, so that no padding is ever seen.
  void run(const at::Tensor& images, const at::Tensor& logits, const Observer& observer, int lane);

  void observe_constants(const Observer& observer, int lane) const;

 private:
  const at::Tensor& value(SlotId slot) const { return values_[static_cast<size_t>(slot)]; }

  const Program& program_;
  at::Tensor arena_, scratch_;
  std::vector<at::Tensor> values_;
  std::vector<Bound> bound_;
};

}  // namespace ptq::runtime
