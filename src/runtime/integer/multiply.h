#pragma once

#include "runtime/integer/epilogue.h"
#include "runtime/integer/packed_columns.h"

namespace ptq::runtime::integer {

/// Rows ready for a kernel: bytes or int16 (ProductKernel::element_bytes), `row_bytes` apart.
struct PreparedRows {
  const void* data;
  int64_t row_bytes, count;
  /// Null where no column has a zero point.
  const int32_t* sums;
};

/// Rows times packed columns, tile by tile into the epilogue. The output's rows start at
/// `first_row`, its columns at `first_column`, which is also where `columns` are read.
void multiply(const PreparedRows& rows, const PanelShape& shape, const void* packed,
              const Epilogue& epilogue, const Columns& columns, int64_t first_row,
              int64_t first_column);

/// Sum of `terms` bytes.
int32_t sum_of(const uint8_t* bytes, int64_t terms);

/// Bytes as int16.
void widen(const uint8_t* from, int64_t count, int16_t* to);

}  // namespace ptq::runtime::integer
