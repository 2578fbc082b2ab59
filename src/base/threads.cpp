#include "base/threads.h"

#include <ATen/Parallel.h>
#include <omp.h>
#include <sched.h>

#include <algorithm>
#include <thread>

namespace ptq {

int available_cores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

void set_intra_op_threads(int threads) {
  // at::set_num_threads would also make a new pool for XNNPACK each time, whose threads spin for a
  // while on the cores of others. Without it, LibTorch goes by OpenMP's number, once it has set its
  // own default on this thread.
  at::get_num_threads();
  omp_set_num_threads(threads);
}

}  // namespace ptq
