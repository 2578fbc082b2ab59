#include "ptq/runtime/execution.h"

#include <utility>

#include "base/memory.h"
#include "base/threads.h"

namespace ptq::runtime {

Execution resolved(Execution execution) {
  if (execution.threads == 0) execution.threads = available_cores();
  if (execution.activation_memory == 0) execution.activation_memory = available_memory_bytes() / 4;
  return execution;
}

std::string_view word(Arithmetic arithmetic) {
  return arithmetic == Arithmetic::kInteger ? "integer" : "float";
}

std::unique_ptr<Executor> make_executor(NetworkView network, const Execution& execution,
                                        ExecutorOptions options) {
  options.threads = execution.threads;
  options.dtype = execution.dtype;
  return execution.compile ? make_plan(network, std::move(options))
                           : make_interpreter(network, std::move(options));
}

}  // namespace ptq::runtime
