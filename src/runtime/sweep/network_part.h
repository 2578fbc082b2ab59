#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "runtime/plan/program.h"

namespace ptq::runtime {

/// Memory that one lane needs to run parts of networks; grows as needed.
class PartMemory {
 public:
  void* arena(int64_t bytes) { return grown(arena_, bytes); }
  void* scratch(int64_t bytes) { return grown(scratch_, bytes); }

 private:
  static void* grown(at::Tensor& memory, int64_t bytes);
  at::Tensor arena_, scratch_;
};

/// Runs a program of compile_part, which outlives the call: `inputs` in its order and layouts.
/// Outputs have memory of their own, without gaps.
std::vector<at::Tensor> run_part(const Program& part, const std::vector<at::Tensor>& inputs,
                                 PartMemory& memory);

}  // namespace ptq::runtime
