#include "base/vector_loop.h"
#include "runtime/integer/epilogue_vector.h"

namespace ptq::runtime::integer {
namespace {

/// Sums wrap around as their parts do; the whole fits (quant::integer_layer).
constexpr VectorLoop row_values = [](const int32_t* sums, int32_t row_sum, int64_t count,
                                     const Columns& columns, float* values) {
  const auto row = static_cast<uint32_t>(row_sum);
  if (columns.weight_zero != nullptr) {
    for (int64_t i = 0; i < count; ++i) {
      const uint32_t sum = static_cast<uint32_t>(sums[i]) +
                           static_cast<uint32_t>(columns.constant[i]) -
                           static_cast<uint32_t>(columns.weight_zero[i]) * row;
      values[i] = quant::accumulated_value(static_cast<int32_t>(sum), columns.scale[i]);
    }
  } else {
    for (int64_t i = 0; i < count; ++i) {
      const uint32_t sum =
          static_cast<uint32_t>(sums[i]) + static_cast<uint32_t>(columns.constant[i]);
      values[i] = quant::accumulated_value(static_cast<int32_t>(sum), columns.scale[i]);
    }
  }
  if (columns.bias == nullptr) return;
  for (int64_t i = 0; i < count; ++i) values[i] += columns.bias[i];
};

}  // namespace

void values_of(const SumTile& tile, const Columns& columns, float* values) {
  Columns here = columns;
  here.constant += tile.first_column, here.scale += tile.first_column;
  if (here.weight_zero != nullptr) here.weight_zero += tile.first_column;
  if (here.bias != nullptr) here.bias += tile.first_column;
  for (int64_t row = 0; row < tile.rows; ++row) {
    const int32_t row_sum = tile.row_sums == nullptr ? 0 : tile.row_sums[row];
    row_values(tile.sums + row * tile.sums_stride, row_sum, tile.columns, here,
               values + row * tile.columns);
  }
}

}  // namespace ptq::runtime::integer
