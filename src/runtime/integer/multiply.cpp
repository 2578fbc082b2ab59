#include "runtime/integer/multiply.h"

#include <algorithm>

#include "base/vector_loop.h"

namespace ptq::runtime::integer {

namespace {

template <class Element>
inline int32_t sum_of_row(const uint8_t* row, int64_t piece_bytes, int64_t pieces, int64_t terms) {
  int32_t sum = 0;
  for (int64_t piece = 0; piece < pieces; ++piece, row += piece_bytes) {
    const auto* elements = reinterpret_cast<const Element*>(row);
    for (int64_t i = 0; i < terms; ++i) sum += elements[i];
  }
  return sum;
}

template <class Element>
void sum_elements(const PreparedRows& rows, const PanelShape& shape, int32_t* sums) {
  static constexpr VectorLoop sum_line = [](const uint8_t* row, int64_t row_bytes, int64_t width,
                                            int64_t piece_bytes, int64_t pieces, int64_t terms,
                                            int32_t* to) {
    for (int64_t i = 0; i < width; ++i, row += row_bytes) {
      to[i] = sum_of_row<Element>(row, piece_bytes, pieces, terms);
    }
  };
  for (int64_t line = 0; line < rows.planes * rows.lines; ++line) {
    sum_line(rows.line(line), rows.row_bytes, rows.width, rows.piece_bytes, shape.pieces(),
             shape.piece_terms(), sums + line * rows.width);
  }
}

}  // namespace

void multiply(const PreparedRows& rows, const PanelShape& shape, const void* packed,
              const Epilogue& epilogue, const Columns& columns, int64_t first_row,
              int64_t first_column) {
  const ProductKernel& kernel = shape.kernel();
  alignas(64) int32_t sums[kTileElements];
  for (const PanelShape::Panel& panel : shape.panels()) {
    const auto* weights = static_cast<const uint8_t*>(packed) + panel.offset;
    const int64_t most = kernel.tile_rows(panel.columns);
    const int64_t wanted = std::min(panel.columns, shape.columns() - panel.first);
    for (int64_t line = 0; line < rows.planes * rows.lines; ++line) {
      const uint8_t* data = rows.line(line);
      int64_t left = rows.width, row = line * rows.width;
      for (int64_t parts = (left + most - 1) / most; parts > 0; --parts) {
        const int64_t count = (left + parts - 1) / parts;
        kernel.tile(
            {data, rows.row_bytes, count, shape.pieces(), rows.piece_bytes, shape.depth_steps()},
            weights, panel.columns, sums);
        epilogue.apply({sums, panel.columns, rows.sums == nullptr ? nullptr : rows.sums + row,
                        count, wanted, first_row + row, first_column + panel.first},
                       columns);
        data += count * rows.row_bytes, row += count, left -= count;
      }
    }
  }
}

void sum_rows(const PreparedRows& rows, const PanelShape& shape, int32_t* sums) {
  if (shape.kernel().element_bytes == 1) return sum_elements<uint8_t>(rows, shape, sums);
  sum_elements<int16_t>(rows, shape, sums);
}

}  // namespace ptq::runtime::integer
