#pragma once

#include <cstdint>

#include "runtime/integer/window_rows.h"

/// Sums of depthwise windows, with vectors along channels.
namespace ptq::runtime::integer {

/// Channels of a block of the VNNI kernel.
inline constexpr int64_t kQuadChannels = 16;

/// The kernel rows of a window in fours: 4 rows of 16 channels are one vector of 64 bytes.
inline int64_t quads_of(const Windows& windows) { return (windows.kernel_height + 3) / 4; }

/// Input columns that a row of outputs reaches over, from -padding_x on.
int64_t columns_reached(const Windows& windows);

/// What the VNNI kernel reads of sixteen channels for one row of outputs: `quads` is
/// [columns_reached][quads_of][16 channels][4 rows]. `in` is the image at the first of the
/// channels, `top` the input row of the window's first.
void load_quads(const Windows& windows, const uint8_t* in, int64_t top, uint8_t zero,
                uint8_t* quads);

/// Sums of `count` outputs from `first_x` on, [count][16]; `weights` is
/// [kernel_width][quads_of][16 channels][4 rows].
void multiply_quads(const Windows& windows, const uint8_t* quads, const int8_t* weights,
                    int64_t first_x, int64_t count, int32_t* sums);

/// Sums of one output over `channels` channels, without vectors of a certain width: taps[i] points
/// to the first of the channels, `weights` is [taps][stride] int16.
void multiply_taps(const uint8_t* const* taps, int64_t count, const int16_t* weights,
                   int64_t stride, int64_t channels, int32_t* sums);

}  // namespace ptq::runtime::integer
