#pragma once

#include <cstdint>
#include <cstring>

/// Floats as integers that compare alike: minima and maxima of integers are the same in any order,
/// so that loops over them vectorise. NaN lies beyond the infinity of its sign.
namespace ptq::quant {

inline int32_t magnitude_key(float value) {
  int32_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits & 0x7FFFFFFF;
}

inline int32_t order_key(float value) {
  int32_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits ^ ((bits >> 31) & 0x7FFFFFFF);
}

/// Inverse of order_key, and of magnitude_key for what is not negative.
inline float value_of_key(int32_t key) {
  const int32_t bits = key ^ ((key >> 31) & 0x7FFFFFFF);
  float value = 0;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

}  // namespace ptq::quant
