#pragma once

#include <cstdint>
#include <string>

namespace ptq {

/// Writes `rows` x `columns` contiguous float32 values as a NumPy .npy file, format 1.0,
/// little-endian, row-major; complete or not at all. Throws OutputError naming the file.
void write_npy(const std::string& path, const float* values, int64_t rows, int64_t columns);

}  // namespace ptq
