#pragma once

#include <cstdint>
#include <vector>

#include "base/cpu_isa.h"

/// Products of rows of bytes with columns of int8, summed in 32 bits: exact wherever the whole sum
/// fits, for sums wrap around and never saturate. One kernel an instruction set; all give the same.
namespace ptq::runtime::integer {

/// Integers of a tile that a kernel makes at once, at most.
inline constexpr int64_t kTileElements = 384;

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
  /// sums[row * columns + column] for `count` <= tile_rows(columns) rows that lie `row_bytes`
  /// apart. Rows are read up to the next multiple of `depth` terms.
  void (*tile)(const void* rows, int64_t row_bytes, int64_t count, const void* panel,
               int64_t depth_steps, int64_t columns, int32_t* sums);
};

/// The fastest one that may be used here.
const ProductKernel& product_kernel();

/// All that may be used here, fastest first: for tests.
std::vector<ProductKernel> product_kernels();

}  // namespace ptq::runtime::integer
