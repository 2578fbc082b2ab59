#pragma once

#include "runtime/integer/epilogue.h"
#include "runtime/integer/packed_columns.h"

namespace ptq::runtime::integer {

/// Rows ready for a kernel, bytes or int16 (ProductKernel::element_bytes): in each of some planes
/// some lines, in each of these `width` rows. The pieces of a row lie `piece_bytes` apart.
struct PreparedRows {
  const void* data;
  int64_t row_bytes, width;
  int64_t lines = 1, line_bytes = 0;
  int64_t planes = 1, plane_bytes = 0;
  int64_t piece_bytes = 0;
  /// Null where no column has a zero point.
  const int32_t* sums = nullptr;

  int64_t count() const { return planes * lines * width; }
  /// Where the rows of a line begin.
  const uint8_t* line(int64_t index) const {
    return static_cast<const uint8_t*>(data) + index / lines * plane_bytes +
           index % lines * line_bytes;
  }
};

/// Rows times packed columns, tile by tile into the epilogue. The output's rows start at
/// `first_row`, its columns at `first_column`, which is also where `columns` are read.
void multiply(const PreparedRows& rows, const PanelShape& shape, const void* packed,
              const Epilogue& epilogue, const Columns& columns, int64_t first_row,
              int64_t first_column);

/// The sum of each row's terms.
void sum_rows(const PreparedRows& rows, const PanelShape& shape, int32_t* sums);

}  // namespace ptq::runtime::integer
