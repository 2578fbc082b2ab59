#include "runtime/integer/epilogue_vector.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <algorithm>

#define PTQ_CODES_TARGET "avx512f,avx512bw,avx512dq,avx512vl"
#define PTQ_CODES __attribute__((target(PTQ_CODES_TARGET)))
#define PTQ_INLINE_CODES __attribute__((target(PTQ_CODES_TARGET), always_inline)) inline

// Sums straight to codes, for tails that are clamps and a quantization. With f = scale / s, the
// code is round(a f) + z wherever a f is not close to a tie; f, a f, and the two operations that
// the definition rounds differ from the exact quotient by less than kNearTie leaves
// (byte_codes.cpp).
namespace ptq::runtime::integer {
namespace {

/// Four vectors of sums at once: of one row, or of several rows where a tile has few columns.
constexpr int kQuad = 4;

template <int kVectors>
struct Constants {
  __m512i constant[kVectors], weight_zero[kVectors];
  __m512 scale[kVectors], bias[kVectors], factor[kVectors];
  __mmask16 masks[kVectors];
  __m512i ceilings;
};

template <int kVectors, bool kZeros, bool kBias>
class CodeRows {
 public:
  /// Rows at once.
  static constexpr int kRows = kQuad / kVectors;

  CodeRows(const Epilogue::ToCodes& to, const SumTile& tile, const Columns& columns)
      : to_(to), tile_(tile), columns_(columns) {}

  PTQ_CODES void run(uint8_t* out, int64_t row_size) const {
    const Constants<kVectors> c = constants();
    const __m512 near_tie = _mm512_set1_ps(to_.near_tie);
    out += tile_.first_row * row_size + tile_.first_column;
    for (int64_t row = 0; row < tile_.rows; row += kRows) {
      __m512i codes[kQuad];
      __m512 furthest = _mm512_setzero_ps();
      unsigned nan = 0;
#pragma GCC unroll 4
      for (int i = 0; i < kQuad; ++i) {
        const __m512 y = quotient(c, i, _mm512_cvtepi32_ps(whole(c, i, row)));
        codes[i] = _mm512_cvtps_epi32(y);
        const __m512 off = _mm512_abs_ps(_mm512_sub_ps(y, _mm512_cvtepi32_ps(codes[i])));
        // The second operand where one is NaN: that is `off`.
        furthest = _mm512_max_ps(furthest, off);
        if (kBias) nan |= _mm512_cmp_ps_mask(y, y, _CMP_UNORD_Q);
      }
      if (__builtin_expect(_mm512_cmp_ps_mask(furthest, near_tie, _CMP_NLE_UQ) != 0, 0) ||
          (kBias && nan != 0)) {
        divide(row, codes);
      }
      store(c, codes, row, out, row_size);
    }
  }

 private:
  PTQ_INLINE_CODES Constants<kVectors> constants() const {
    Constants<kVectors> c;
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const int64_t left = tile_.columns - 16 * v, at = tile_.first_column + 16 * v;
      c.masks[v] = static_cast<__mmask16>(left >= 16 ? 0xFFFF : left > 0 ? (1 << left) - 1 : 0);
      c.constant[v] = _mm512_maskz_loadu_epi32(c.masks[v], columns_.constant + at);
      c.scale[v] = _mm512_maskz_loadu_ps(c.masks[v], columns_.scale + at);
      c.factor[v] = _mm512_mul_ps(c.scale[v], _mm512_set1_ps(to_.reciprocal));
      if (kZeros) {
        c.weight_zero[v] = _mm512_maskz_loadu_epi32(c.masks[v], columns_.weight_zero + at);
      }
      if (kBias) c.bias[v] = _mm512_maskz_loadu_ps(c.masks[v], columns_.bias + at);
    }
    const uint8_t* ceilings = to_.ceilings.data() + tile_.first_column;
    if (kVectors == 1) {
      c.ceilings =
          _mm512_broadcast_i32x4(_mm_maskz_loadu_epi8(static_cast<__mmask16>(all()), ceilings));
    } else if (kVectors == 2) {
      c.ceilings =
          _mm512_broadcast_i64x4(_mm256_maskz_loadu_epi8(static_cast<__mmask32>(all()), ceilings));
    } else {
      c.ceilings = _mm512_maskz_loadu_epi8(all(), ceilings);
    }
    return c;
  }

  /// The columns of a row, as bytes.
  PTQ_INLINE_CODES __mmask64 all() const {
    return tile_.columns >= 64 ? ~uint64_t{0} : (uint64_t{1} << tile_.columns) - 1;
  }

  /// The row of vector `i` of the quad that begins at `row`; behind the last row, that again.
  int64_t row_of(int i, int64_t row) const { return std::min(row + i / kVectors, tile_.rows - 1); }

  /// A vector's sums with their constants.
  PTQ_INLINE_CODES __m512i whole(const Constants<kVectors>& c, int i, int64_t first) const {
    const int v = i % kVectors;
    const int64_t row = row_of(i, first);
    const int32_t* sums = tile_.sums + row * tile_.sums_stride + 16 * v;
    const __m512i sum = _mm512_add_epi32(_mm512_maskz_loadu_epi32(c.masks[v], sums), c.constant[v]);
    if (!kZeros) return sum;
    const __m512i row_sum = _mm512_set1_epi32(tile_.row_sums[row]);
    return _mm512_sub_epi32(sum, _mm512_mullo_epi32(c.weight_zero[v], row_sum));
  }

  PTQ_INLINE_CODES __m512 quotient(const Constants<kVectors>& c, int i, __m512 sum) const {
    const int v = i % kVectors;
    if (!kBias) return _mm512_mul_ps(sum, c.factor[v]);
    const __m512 x = _mm512_add_ps(_mm512_mul_ps(sum, c.scale[v]), c.bias[v]);
    return _mm512_mul_ps(x, _mm512_set1_ps(to_.reciprocal));
  }

  /// The definition, for rows with a value close to a tie.
  __attribute__((target(PTQ_CODES_TARGET), noinline)) void divide(int64_t row,
                                                                  __m512i* codes) const {
    const Constants<kVectors> c = constants();
    const __m512 scale = _mm512_set1_ps(to_.format.params.scale);
    const __m512 zero = _mm512_set1_ps(to_.format.params.zero_point);
    const __m512 low = _mm512_set1_ps(-1024), high = _mm512_set1_ps(1024);
    for (int i = 0; i < kQuad; ++i) {
      __m512 x = _mm512_mul_ps(_mm512_cvtepi32_ps(whole(c, i, row)), c.scale[i % kVectors]);
      if (kBias) x = _mm512_add_ps(x, c.bias[i % kVectors]);
      if (_mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q) != 0) throw quant::NotANumber();
      const __m512 code = _mm512_add_ps(_mm512_div_ps(x, scale), zero);
      const __m512 inside = _mm512_min_ps(_mm512_max_ps(code, low), high);
      codes[i] = _mm512_sub_epi32(_mm512_cvtps_epi32(inside), _mm512_cvtps_epi32(zero));
    }
  }

  PTQ_INLINE_CODES void store(const Constants<kVectors>& c, const __m512i* codes, int64_t first,
                              uint8_t* out, int64_t row_size) const {
    const __m512i shifts = _mm512_set1_epi16(static_cast<int16_t>(to_.format.zero()));
    const __m512i words[2] = {_mm512_adds_epi16(_mm512_packs_epi32(codes[0], codes[1]), shifts),
                              _mm512_adds_epi16(_mm512_packs_epi32(codes[2], codes[3]), shifts)};
    // In each lane of 128 bits: four bytes of every vector.
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    __m512i bytes = _mm512_permutexvar_epi32(order, _mm512_packus_epi16(words[0], words[1]));
    bytes = _mm512_max_epu8(bytes, _mm512_set1_epi8(static_cast<char>(to_.low)));
    bytes = _mm512_min_epu8(bytes, c.ceilings);
    if (kVectors == 1) {
      const auto mask = static_cast<__mmask16>(all());
      const auto at = [&](int i) { return out + row_of(i, first) * row_size; };
      _mm_mask_storeu_epi8(at(0), mask, _mm512_castsi512_si128(bytes));
      _mm_mask_storeu_epi8(at(1), mask, _mm512_extracti32x4_epi32(bytes, 1));
      _mm_mask_storeu_epi8(at(2), mask, _mm512_extracti32x4_epi32(bytes, 2));
      _mm_mask_storeu_epi8(at(3), mask, _mm512_extracti32x4_epi32(bytes, 3));
    } else if (kVectors == 2) {
      const auto mask = static_cast<__mmask32>(all());
      const auto at = [&](int i) { return out + row_of(i, first) * row_size; };
      _mm256_mask_storeu_epi8(at(0), mask, _mm512_castsi512_si256(bytes));
      _mm256_mask_storeu_epi8(at(2), mask, _mm512_extracti64x4_epi64(bytes, 1));
    } else {
      _mm512_mask_storeu_epi8(out + first * row_size, all(), bytes);
    }
  }

  const Epilogue::ToCodes& to_;
  const SumTile& tile_;
  const Columns& columns_;
};

template <int kVectors>
void run_rows(const Epilogue::ToCodes& to, const SumTile& tile, const Columns& columns,
              uint8_t* out, int64_t row_size) {
  const bool zeros = columns.weight_zero != nullptr, bias = columns.bias != nullptr;
  if (zeros && bias) {
    CodeRows<kVectors, true, true>(to, tile, columns).run(out, row_size);
  } else if (zeros) {
    CodeRows<kVectors, true, false>(to, tile, columns).run(out, row_size);
  } else if (bias) {
    CodeRows<kVectors, false, true>(to, tile, columns).run(out, row_size);
  } else {
    CodeRows<kVectors, false, false>(to, tile, columns).run(out, row_size);
  }
}

}  // namespace

void codes_by_avx512(const Epilogue::ToCodes& to, const SumTile& tile, const Columns& columns,
                     uint8_t* out, int64_t row_size) {
  if (tile.columns <= 16) return run_rows<1>(to, tile, columns, out, row_size);
  if (tile.columns <= 32) return run_rows<2>(to, tile, columns, out, row_size);
  run_rows<4>(to, tile, columns, out, row_size);
}

}  // namespace ptq::runtime::integer
#endif
