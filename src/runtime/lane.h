#pragma once

#include <vector>

#include "runtime/program.h"

namespace ptq::runtime {

/// A program with memory of its own: what one thread works in.
class Lane {
 public:
  /// `program` outlives the lane.
  explicit Lane(const Program& program);

  /// Images [n, 3, H, W] with n up to the micro-batch to rows of `logits` [n, classes]. `observer`
  /// may be empty; it sees the elements of these n images, and the constants if asked to.
  void run(const at::Tensor& images, const at::Tensor& logits, const Observer& observer, int lane);

  void observe_constants(const Observer& observer, int lane) const;

 private:
  void observe(const Observation& observation, int64_t images, const Observer& observer,
               int lane) const;

  const Program& program_;
  at::Tensor arena_, scratch_;
  std::vector<at::Tensor> values_;
  std::vector<Bound> bound_;
};

}  // namespace ptq::runtime
