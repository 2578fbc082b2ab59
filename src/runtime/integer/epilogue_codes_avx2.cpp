#include "runtime/integer/epilogue_vector.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define PTQ_CODES_TARGET "avx2"
#define PTQ_INLINE_CODE __attribute__((target(PTQ_CODES_TARGET), always_inline)) inline

// As epilogue_codes_avx512.cpp, whose arithmetic it shares, eight columns a vector.
namespace ptq::runtime::integer {
namespace {

template <int kVectors>
struct Constants {
  __m256i constant[kVectors], weight_zero[kVectors];
  __m256 scale[kVectors], bias[kVectors], factor[kVectors];
};

PTQ_INLINE_CODE __m256i integers(const int32_t* from) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}

PTQ_INLINE_CODE __m256 magnitude(__m256 x) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0F), x); }

class CodeRows {
 public:
  CodeRows(const Epilogue::ToCodes& to, const SumTile& tile, const Columns& columns)
      : to_(to), tile_(tile), columns_(columns) {}

  /// Columns from `first` on in the tile.
  template <int kVectors, bool kZeros, bool kBias>
  __attribute__((target(PTQ_CODES_TARGET))) void run(int64_t first, uint8_t* out,
                                                     int64_t row_size) const {
    const Constants<kVectors> c = constants<kVectors>(first);
    // Stores of bytes may change anything but what is local.
    const Limits limits = limits_of<kVectors>(first);
    const int64_t rows = tile_.rows, stride = tile_.sums_stride;
    const __m256 near_tie = _mm256_set1_ps(to_.near_tie);
    const __m256 reciprocal = _mm256_set1_ps(to_.reciprocal);
    out += tile_.first_row * row_size + tile_.first_column + first;
    const int32_t* sums = tile_.sums + first;
    for (int64_t row = 0; row < rows; ++row, out += row_size, sums += stride) {
      __m256i codes[kVectors];
      __m256 near = _mm256_setzero_ps();
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) {
        const __m256 sum = _mm256_cvtepi32_ps(whole<kVectors, kZeros>(c, v, sums, row));
        __m256 y;
        if (kBias) {
          y = _mm256_mul_ps(_mm256_add_ps(_mm256_mul_ps(sum, c.scale[v]), c.bias[v]), reciprocal);
        } else {
          y = _mm256_mul_ps(sum, c.factor[v]);
        }
        codes[v] = _mm256_cvtps_epi32(y);
        const __m256 off = magnitude(_mm256_sub_ps(y, _mm256_cvtepi32_ps(codes[v])));
        // Holds for NaN too.
        near = _mm256_or_ps(near, _mm256_cmp_ps(off, near_tie, _CMP_NLE_UQ));
      }
      if (__builtin_expect(_mm256_movemask_ps(near) != 0, 0)) {
        __m256i exact[kVectors];
        divide<kVectors, kZeros>(first, sums, row, exact);
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) codes[v] = exact[v];
      }
      store<kVectors>(codes, limits, out);
    }
  }

 private:
  struct Limits {
    __m256i shift;
    __m128i low, ceilings;
  };

  template <int kVectors>
  PTQ_INLINE_CODE Limits limits_of(int64_t first) const {
    const auto* ceilings =
        reinterpret_cast<const __m128i*>(to_.ceilings.data() + tile_.first_column + first);
    return {_mm256_set1_epi16(static_cast<int16_t>(to_.format.zero())),
            _mm_set1_epi8(static_cast<char>(to_.low)),
            kVectors == 2 ? _mm_loadu_si128(ceilings) : _mm_loadl_epi64(ceilings)};
  }

  template <int kVectors>
  PTQ_INLINE_CODE Constants<kVectors> constants(int64_t first) const {
    Constants<kVectors> c;
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      const int64_t at = tile_.first_column + first + 8 * v;
      c.constant[v] = integers(columns_.constant + at);
      c.scale[v] = _mm256_loadu_ps(columns_.scale + at);
      c.factor[v] = _mm256_mul_ps(c.scale[v], _mm256_set1_ps(to_.reciprocal));
      c.weight_zero[v] = columns_.weight_zero == nullptr ? _mm256_setzero_si256()
                                                         : integers(columns_.weight_zero + at);
      c.bias[v] =
          columns_.bias == nullptr ? _mm256_setzero_ps() : _mm256_loadu_ps(columns_.bias + at);
    }
    return c;
  }

  /// A vector's sums with their constants.
  template <int kVectors, bool kZeros>
  PTQ_INLINE_CODE __m256i whole(const Constants<kVectors>& c, int v, const int32_t* sums,
                                int64_t row) const {
    const __m256i sum = _mm256_add_epi32(integers(sums + 8 * v), c.constant[v]);
    if (!kZeros) return sum;
    const __m256i row_sum = _mm256_set1_epi32(tile_.row_sums[row]);
    return _mm256_sub_epi32(sum, _mm256_mullo_epi32(c.weight_zero[v], row_sum));
  }

  /// The definition, for a row with a value close to a tie.
  template <int kVectors, bool kZeros>
  __attribute__((target(PTQ_CODES_TARGET), noinline)) void divide(int64_t first,
                                                                  const int32_t* sums, int64_t row,
                                                                  __m256i* codes) const {
    const Constants<kVectors> c = constants<kVectors>(first);
    const __m256 scale = _mm256_set1_ps(to_.format.params.scale);
    const __m256 zero = _mm256_set1_ps(to_.format.params.zero_point);
    const __m256 low = _mm256_set1_ps(-1024), high = _mm256_set1_ps(1024);
    for (int v = 0; v < kVectors; ++v) {
      const __m256i sum = whole<kVectors, kZeros>(c, v, sums, row);
      __m256 x = _mm256_mul_ps(_mm256_cvtepi32_ps(sum), c.scale[v]);
      if (columns_.bias != nullptr) x = _mm256_add_ps(x, c.bias[v]);
      if (_mm256_movemask_ps(_mm256_cmp_ps(x, x, _CMP_UNORD_Q)) != 0) {
        throw quant::NotANumber();
      }
      const __m256 code = _mm256_add_ps(_mm256_div_ps(x, scale), zero);
      const __m256 inside = _mm256_min_ps(_mm256_max_ps(code, low), high);
      codes[v] = _mm256_sub_epi32(_mm256_cvtps_epi32(inside), _mm256_cvtps_epi32(zero));
    }
  }

  template <int kVectors>
  PTQ_INLINE_CODE static void store(const __m256i* codes, const Limits& limits, uint8_t* out) {
    const __m256i words =
        _mm256_adds_epi16(_mm256_packs_epi32(codes[0], codes[kVectors - 1]), limits.shift);
    // In each lane of 128 bits: four bytes of every vector.
    const __m256i packed = _mm256_packus_epi16(words, words);
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 0, 4, 1, 5);
    __m128i bytes = _mm256_castsi256_si128(_mm256_permutevar8x32_epi32(packed, order));
    bytes = _mm_min_epu8(_mm_max_epu8(bytes, limits.low), limits.ceilings);
    if (kVectors == 2) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out), bytes);
    } else {
      _mm_storel_epi64(reinterpret_cast<__m128i*>(out), bytes);
    }
  }

  const Epilogue::ToCodes& to_;
  const SumTile& tile_;
  const Columns& columns_;
};

template <int kVectors>
void run_rows(const CodeRows& rows, const Columns& columns, int64_t first, uint8_t* out,
              int64_t row_size) {
  const bool zeros = columns.weight_zero != nullptr, bias = columns.bias != nullptr;
  if (zeros && bias) return rows.run<kVectors, true, true>(first, out, row_size);
  if (zeros) return rows.run<kVectors, true, false>(first, out, row_size);
  if (bias) return rows.run<kVectors, false, true>(first, out, row_size);
  rows.run<kVectors, false, false>(first, out, row_size);
}

}  // namespace

void codes_by_avx2(const Epilogue::ToCodes& to, const SumTile& tile, const Columns& columns,
                   uint8_t* out, int64_t row_size) {
  const CodeRows rows(to, tile, columns);
  int64_t first = 0;
  for (; first + 16 <= tile.columns; first += 16) {
    run_rows<2>(rows, columns, first, out, row_size);
  }
  if (first < tile.columns) run_rows<1>(rows, columns, first, out, row_size);
}

}  // namespace ptq::runtime::integer
#endif
