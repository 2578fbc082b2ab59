#pragma once

#include <cstdint>
#include <vector>

#include "base/cpu_isa.h"

/// Products of rows of bytes with columns of int8, summed in 32 bits: exact wherever the whole sum
/// fits, for sums wrap around and never saturate. One kernel an instruction set; all give the same.
namespace ptq::runtime::integer {

/// Integers of a tile that a kernel makes at once, at most.
inline constexpr int64_t kTileElements = 384;

/// Rows of a tile: `count` of them, `row_bytes` apart. The terms of one lie in `pieces` that are
/// `piece_bytes` apart, `steps` times the kernel's depth in each.
struct TileRows {
  const void* data;
  int64_t row_bytes, count;
  int64_t pieces, piece_bytes, steps;
};

struct ProductKernel {
  const char* name;
  CpuIsa isa;
  /// Columns of a panel, at most; those of the last one are a multiple of `column_step`.
  int64_t columns, column_step;
  /// Terms that lie together in a panel: [terms / depth][columns][depth].
  int64_t depth;
  /// 1: rows and columns are bytes. 2: both are widened to int16.
  int64_t element_bytes;
  /// Rows of a tile of so many columns.
  int64_t (*tile_rows)(int64_t columns);
  /// sums[row * columns + column] for at most tile_rows(columns) rows.
  void (*tile)(const TileRows& rows, const void* panel, int64_t columns, int32_t* sums);
};

/// The fastest one that may be used here.
const ProductKernel& product_kernel();

/// All that may be used here, fastest first: for tests.
std::vector<ProductKernel> product_kernels();

}  // namespace ptq::runtime::integer
