#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <memory>
#include <string_view>

#include "ptq/runtime/executor.h"

namespace ptq::runtime {

/// How networks run, whatever for.
struct Execution {
  /// Cores to use; 0 is all there are.
  int threads = 0;
  /// The optimised plan, or node by node.
  bool compile = true;
  /// What the quantized layers of a network that is evaluated compute in, in the plan; node by node
  /// they compute in floats.
  Arithmetic arithmetic = Arithmetic::kInteger;
  c10::Device device = c10::kCPU;
  /// As in ExecutorOptions.
  at::ScalarType dtype = at::kFloat;
  /// Bytes of activations that a layer sweep keeps in memory; 0 is a quarter of the machine's.
  int64_t activation_memory = 0;
};

/// The same with the numbers that 0 stands for.
Execution resolved(Execution execution);

/// "integer" or "float".
std::string_view word(Arithmetic arithmetic);

/// The plan or the interpreter, as `execution` says. Its threads and dtype go over those of
/// `options`.
std::unique_ptr<Executor> make_executor(NetworkView network, const Execution& execution,
                                        ExecutorOptions options = {});

}  // namespace ptq::runtime
