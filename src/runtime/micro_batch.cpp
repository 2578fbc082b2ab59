#include "runtime/program.h"

namespace ptq::runtime {

int64_t choose_micro_batch(const ir::Graph& graph) {
  static_cast<void>(graph);
  return 1;
}

}  // namespace ptq::runtime
