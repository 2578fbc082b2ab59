#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "runtime/integer/window_rows.h"

/// Sums of depthwise windows, with vectors along channels.
namespace ptq::runtime::integer {

/// Channels of a block of the vector kernels.
inline constexpr int64_t kBlockChannels = 16;

/// A kernel that takes `rows` kernel rows of sixteen channels at once, from 64 bytes: four rows of
/// bytes, or two of int16.
struct DepthwiseKernel {
  int64_t rows;
  /// What is multiplied for one row of outputs: [columns_reached][vectors_of][16 channels][rows].
  /// `in` is the image at the first of the channels, `top` the input row of the window's first.
  void (*load)(const Windows& windows, const uint8_t* in, int64_t top, uint8_t zero, void* block);
  /// Sums of `count` outputs from `first_x` on, [count][16]; `weights` is
  /// [kernel_width][vectors_of][16 channels][rows], int8 or int16.
  void (*multiply)(const Windows& windows, const void* block, const void* weights, int64_t first_x,
                   int64_t count, int32_t* sums);
};

/// The fastest that may be used here, or null. Weights have zero points where not `symmetric`.
const DepthwiseKernel* depthwise_kernel(bool symmetric);

/// Four rows by VNNI, and two by AVX2.
extern const DepthwiseKernel kQuads, kPairs;

/// Vectors for the kernel rows of one input column.
inline int64_t vectors_of(const Windows& windows, const DepthwiseKernel& kernel) {
  return (windows.kernel_height + kernel.rows - 1) / kernel.rows;
}

/// Input columns that a row of outputs reaches over, from -padding_x on.
int64_t columns_reached(const Windows& windows);

/// Where the rows of a vector lie at the first input column, and how far it is to the next one.
template <size_t kRows>
struct VectorRows {
  std::array<const uint8_t*, kRows> at;
  std::array<int64_t, kRows> step;
};

/// Kernel rows from `first` on; those beyond the input or the kernel are `zeros`.
template <size_t kRows>
VectorRows<kRows> vector_rows(const Windows& w, const uint8_t* in, int64_t top, int64_t first,
                              const uint8_t* zeros) {
  VectorRows<kRows> rows;
  for (size_t i = 0; i < kRows; ++i) {
    const int64_t row = first + static_cast<int64_t>(i), y = top + row * w.dilation_y;
    const bool real = row < w.kernel_height && y >= 0 && y < w.in_height;
    rows.at[i] = real ? in + y * w.in_width * w.channels : zeros;
    rows.step[i] = real ? w.channels : 0;
  }
  return rows;
}

/// Sums of one output over `channels` channels, without vectors of a certain width: taps[i] points
/// to the first of the channels, `weights` is [taps][stride] int16.
void multiply_taps(const uint8_t* const* taps, int64_t count, const int16_t* weights,
                   int64_t stride, int64_t channels, int32_t* sums);

}  // namespace ptq::runtime::integer
