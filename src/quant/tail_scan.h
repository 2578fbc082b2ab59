#pragma once

#include <cstdint>

#include "quant/statistics.h"

namespace ptq::quant {

/// Which end of the values, and by what order.
enum class Tail { kMagnitude, kHigh, kLow };

/// Adds the keys of `count` values to `keys`: magnitudes, order keys, or for kLow order keys of the
/// negated values. Blocks without a key above the floor, nearly all, cost one vectorised scan.
void add_tail(const float* values, int64_t count, Tail tail, LargestKeys& keys);

}  // namespace ptq::quant
