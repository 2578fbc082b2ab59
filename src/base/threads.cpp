#include "ptq/base/threads.h"

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
  at::set_num_threads(threads);
  omp_set_num_threads(threads);
}

}  // namespace ptq
