#include "quant/tail_scan.h"

#include <algorithm>

#include "base/vector_loop.h"
#include "quant/float_order.h"

namespace ptq::quant {
namespace {

constexpr int64_t kBlock = 256;

/// Above INT32_MIN, which stands for "no floor yet" and is the order key of one NaN.
inline int32_t key_of(float value, Tail tail) {
  if (tail == Tail::kMagnitude) return magnitude_key(value);
  return std::max(order_key(tail == Tail::kHigh ? value : -value), INT32_MIN + 1);
}

template <Tail kTail>
constexpr VectorLoop kLargestKey = [](const float* values, int64_t count) {
  int32_t largest = INT32_MIN;
  for (int64_t i = 0; i < count; ++i) largest = std::max(largest, key_of(values[i], kTail));
  return largest;
};

int32_t largest_of(const float* values, int64_t count, Tail tail) {
  if (tail == Tail::kMagnitude) return kLargestKey<Tail::kMagnitude>(values, count);
  if (tail == Tail::kHigh) return kLargestKey<Tail::kHigh>(values, count);
  return kLargestKey<Tail::kLow>(values, count);
}

}  // namespace

void add_tail(const float* values, int64_t count, Tail tail, LargestKeys& keys) {
  for (int64_t begin = 0; begin < count; begin += kBlock) {
    const int64_t size = std::min(kBlock, count - begin);
    if (largest_of(values + begin, size, tail) <= keys.floor()) continue;
    int32_t block[kBlock];
    for (int64_t i = 0; i < size; ++i) block[i] = key_of(values[begin + i], tail);
    keys.add(block, size);
  }
}

}  // namespace ptq::quant
