#pragma once

#include <cstdint>
#include <limits>

#include "passes/learned_round/dropping.h"

namespace ptq::passes {

/// Dropping as loops over elements need it.
struct DropRule {
  uint32_t seed;
  /// Draws of 31 bits below it drop; signed, because vector instructions compare signed numbers.
  int32_t threshold;
  /// Values outside clip.
  float low;
  float high;
};

/// Mixes all bits of `x` (the finalizer of MurmurHash3).
inline uint32_t mix_bits(uint32_t x) {
  x ^= x >> 16;
  x *= 0x85EBCA6BU;
  x ^= x >> 13;
  x *= 0xC2B2AE35U;
  return x ^ (x >> 16);
}

inline int32_t drop_threshold(double probability) {
  return static_cast<int32_t>(probability * std::numeric_limits<int32_t>::max());
}

inline bool is_dropped(uint32_t position, const DropRule& rule) {
  return static_cast<int32_t>(mix_bits(position * 0x9E3779B9U + rule.seed) >> 1) < rule.threshold;
}

/// `low` and `high` are what a quantizer rounds to codes without clipping. Scales that are found in
/// each image or group anew hold all of it.
DropRule rule_of(const quant::QuantizerTable& table, ir::QuantizerId id, const Dropping& dropping);

}  // namespace ptq::passes
