#pragma once

#include <cstdint>

namespace ptq {

/// Elements of a tensor that are worth waking a thread for, where each takes a few instructions.
constexpr int64_t kParallelGrain = 1 << 15;

/// Cores this process may use: what the scheduler grants, at least 1.
int available_cores();

/// Threads that LibTorch's and oneDNN's parallel regions use when started from the calling thread.
/// LibTorch of Debian starts with one.
void set_intra_op_threads(int threads);

}  // namespace ptq
