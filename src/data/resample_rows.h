#pragma once

#include <cstdint>

#include "data/resample.h"

namespace ptq::data {

/// Of weights and sums: an 8-bit pixel times a weight below 2, summed, fits 32 bits.
constexpr int kFractionBits = 32 - 8 - 2;
constexpr int32_t kHalf = int32_t{1} << (kFractionBits - 1);

/// Two rows of bytes, blue first, and their resampled rows of words, red first. A word behind the
/// last is written.
struct RowPair {
  /// As many bytes behind a row's last pixel are touched: they may hold anything.
  static constexpr int64_t kBytesBehind = 16;

  const uint8_t* in[2];
  int32_t* out[2];
};

/// Resamples rows as the processor does best. `columns` must outlive it.
class RowResampler {
 public:
  explicit RowResampler(const AxisWeights& columns);

  /// Each output pixel rounded to 8 bits.
  void operator()(const RowPair& rows) const;

 private:
  const AxisWeights& columns_;
  /// Of two taps each: the low 15 bits of their weights, side by side, and the rest of them. Empty
  /// where the processor has no use for them.
  std::vector<int32_t> pairs_;
};

}  // namespace ptq::data
