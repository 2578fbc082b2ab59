#pragma once

#include <cstdint>

namespace ptq {

/// Bytes of memory that this process may come to use: what the machine has, or less where a control
/// group limits it.
int64_t available_memory_bytes();

}  // namespace ptq
