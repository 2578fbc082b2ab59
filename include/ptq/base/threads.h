#pragma once

namespace ptq {

/// Cores this process may use: what the scheduler grants, at least 1.
int available_cores();

/// Threads that LibTorch's and oneDNN's parallel regions use when started from the calling thread.
/// LibTorch of Debian starts with one.
void set_intra_op_threads(int threads);

}  // namespace ptq
