#pragma once

#include "runtime/integer/epilogue.h"

namespace ptq::runtime::integer {

/// The values of a tile's sums, row after row without gaps.
void values_of(const SumTile& tile, const Columns& columns, float* values);

/// Sums straight to bytes, with AVX-512, and with AVX2 for a multiple of eight columns.
void codes_by_avx512(const Epilogue::ToCodes& to, const SumTile& tile, const Columns& columns,
                     uint8_t* out, int64_t row_size);
void codes_by_avx2(const Epilogue::ToCodes& to, const SumTile& tile, const Columns& columns,
                   uint8_t* out, int64_t row_size);

/// The epilogue of tails that are clamps, fake quantizations, additions and a last quantization,
/// sixteen columns at once.
struct Epilogue::Vector {
  static void apply(const Epilogue& epilogue, const SumTile& tile, const Columns& columns);
};

}  // namespace ptq::runtime::integer
