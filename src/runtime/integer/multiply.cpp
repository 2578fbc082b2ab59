#include "runtime/integer/multiply.h"

#include <algorithm>

#include "base/vector_loop.h"

namespace ptq::runtime::integer {

void multiply(const PreparedRows& rows, const PanelShape& shape, const void* packed,
              const Epilogue& epilogue, const Columns& columns, int64_t first_row,
              int64_t first_column) {
  const ProductKernel& kernel = shape.kernel();
  alignas(64) int32_t sums[kTileElements];
  for (const PanelShape::Panel& panel : shape.panels()) {
    const auto* weights = static_cast<const uint8_t*>(packed) + panel.offset;
    const int64_t at_once = kernel.tile_rows(panel.columns);
    const int64_t wanted = std::min(panel.columns, shape.columns() - panel.first);
    for (int64_t row = 0; row < rows.count; row += at_once) {
      const int64_t count = std::min(at_once, rows.count - row);
      kernel.tile(static_cast<const uint8_t*>(rows.data) + row * rows.row_bytes, rows.row_bytes,
                  count, weights, shape.depth_steps(), panel.columns, sums);
      epilogue.apply({sums, panel.columns, rows.sums == nullptr ? nullptr : rows.sums + row, count,
                      wanted, first_row + row, first_column + panel.first},
                     columns);
    }
  }
}

int32_t sum_of(const uint8_t* bytes, int64_t terms) {
  static constexpr VectorLoop add = [](const uint8_t* from, int64_t count) {
    int32_t sum = 0;
    for (int64_t i = 0; i < count; ++i) sum += from[i];
    return sum;
  };
  return add(bytes, terms);
}

void widen(const uint8_t* from, int64_t count, int16_t* to) {
  static constexpr VectorLoop copy = [](const uint8_t* bytes, int64_t size, int16_t* wide) {
    for (int64_t i = 0; i < size; ++i) wide[i] = bytes[i];
  };
  copy(from, count, to);
}

}  // namespace ptq::runtime::integer
