#include "runtime/integer/epilogue_vector.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define PTQ_CODES_TARGET "avx512f,avx512bw,avx512dq,avx512vl"

// Sums straight to codes, for tails that are clamps and a quantization. With f = scale / s, the
// code is round(a f) + z wherever a f is not close to a tie; f, a f, and the two operations that
// the definition rounds differ from the exact quotient by less than kNearTie leaves
// (byte_codes.cpp).
namespace ptq::runtime::integer {
namespace {

template <int kVectors>
struct Constants {
  __m512i constant[kVectors], weight_zero[kVectors];
  __m512 scale[kVectors], bias[kVectors], factor[kVectors];
  __mmask16 masks[kVectors];
};

class CodeRows {
 public:
  CodeRows(const Epilogue::ToCodes& to, const SumTile& tile, const Columns& columns)
      : to_(to), tile_(tile), columns_(columns) {}

  template <int kVectors, bool kZeros, bool kBias>
  __attribute__((target(PTQ_CODES_TARGET))) void run(uint8_t* out, int64_t row_size) const {
    const Constants<kVectors> c = constants<kVectors>();
    const __m512 near_tie = _mm512_set1_ps(to_.near_tie);
    out += tile_.first_row * row_size + tile_.first_column;
    const int32_t* sums = tile_.sums;
    for (int64_t row = 0; row < tile_.rows; ++row, out += row_size, sums += tile_.sums_stride) {
      __m512i codes[kVectors];
      __m512 furthest = _mm512_setzero_ps();
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        const __m512i sum = whole<kVectors, kZeros>(c, v, sums, row);
        __m512 y;
        if (kBias) {
          const __m512 x =
              _mm512_add_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(sum), c.scale[v]), c.bias[v]);
          y = _mm512_mul_ps(x, _mm512_set1_ps(to_.reciprocal));
        } else {
          y = _mm512_mul_ps(_mm512_cvtepi32_ps(sum), c.factor[v]);
        }
        codes[v] = _mm512_cvtps_epi32(y);
        const __m512 off = _mm512_abs_ps(_mm512_sub_ps(y, _mm512_cvtepi32_ps(codes[v])));
        // The second operand where one is NaN: that is `off`.
        furthest = _mm512_max_ps(furthest, off);
        if (kBias) nan_ |= _mm512_cmp_ps_mask(y, y, _CMP_UNORD_Q);
      }
      if (__builtin_expect(_mm512_cmp_ps_mask(furthest, near_tie, _CMP_NLE_UQ) != 0, 0) ||
          (kBias && nan_ != 0)) {
        __m512i exact[kVectors];
        divide<kVectors, kZeros>(sums, row, exact);
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) codes[v] = exact[v];
      }
      store<kVectors>(c, codes, out);
    }
  }

 private:
  template <int kVectors>
  __attribute__((target(PTQ_CODES_TARGET), always_inline)) inline Constants<kVectors> constants()
      const {
    Constants<kVectors> c;
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const int64_t left = tile_.columns - 16 * v, at = tile_.first_column + 16 * v;
      c.masks[v] = static_cast<__mmask16>(left >= 16 ? 0xFFFF : (1 << left) - 1);
      c.constant[v] = _mm512_maskz_loadu_epi32(c.masks[v], columns_.constant + at);
      c.scale[v] = _mm512_maskz_loadu_ps(c.masks[v], columns_.scale + at);
      c.factor[v] = _mm512_mul_ps(c.scale[v], _mm512_set1_ps(to_.reciprocal));
      c.weight_zero[v] = columns_.weight_zero == nullptr
                             ? _mm512_setzero_si512()
                             : _mm512_maskz_loadu_epi32(c.masks[v], columns_.weight_zero + at);
      c.bias[v] = columns_.bias == nullptr ? _mm512_setzero_ps()
                                           : _mm512_maskz_loadu_ps(c.masks[v], columns_.bias + at);
    }
    return c;
  }

  /// A vector's sums with their constants.
  template <int kVectors, bool kZeros>
  __attribute__((target(PTQ_CODES_TARGET), always_inline)) inline __m512i whole(
      const Constants<kVectors>& c, int v, const int32_t* sums, int64_t row) const {
    const __m512i loaded = _mm512_maskz_loadu_epi32(c.masks[v], sums + 16 * v);
    const __m512i sum = _mm512_add_epi32(loaded, c.constant[v]);
    if (!kZeros) return sum;
    const __m512i row_sum = _mm512_set1_epi32(tile_.row_sums[row]);
    return _mm512_sub_epi32(sum, _mm512_mullo_epi32(c.weight_zero[v], row_sum));
  }

  /// The definition, for a row with a value close to a tie.
  template <int kVectors, bool kZeros>
  __attribute__((target(PTQ_CODES_TARGET), noinline)) void divide(const int32_t* sums, int64_t row,
                                                                  __m512i* codes) const {
    const Constants<kVectors> c = constants<kVectors>();
    const __m512 scale = _mm512_set1_ps(to_.format.params.scale);
    const __m512 zero = _mm512_set1_ps(to_.format.params.zero_point);
    const __m512 low = _mm512_set1_ps(-1024), high = _mm512_set1_ps(1024);
    for (int v = 0; v < kVectors; ++v) {
      const __m512i sum = whole<kVectors, kZeros>(c, v, sums, row);
      __m512 x = _mm512_mul_ps(_mm512_cvtepi32_ps(sum), c.scale[v]);
      if (columns_.bias != nullptr) x = _mm512_add_ps(x, c.bias[v]);
      if (_mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q) != 0) {
        throw quant::NotANumber();
      }
      const __m512 code = _mm512_add_ps(_mm512_div_ps(x, scale), zero);
      const __m512 inside = _mm512_min_ps(_mm512_max_ps(code, low), high);
      codes[v] = _mm512_sub_epi32(_mm512_cvtps_epi32(inside), _mm512_cvtps_epi32(zero));
    }
  }

  template <int kVectors>
  __attribute__((target(PTQ_CODES_TARGET), always_inline)) inline void store(
      const Constants<kVectors>& c, const __m512i* codes, uint8_t* out) const {
    const int shift = to_.format.zero();
    if (kVectors == 4) {
      const __m512i shifts = _mm512_set1_epi16(static_cast<int16_t>(shift));
      const __m512i first =
          _mm512_adds_epi16(_mm512_packs_epi32(codes[0], codes[1 % kVectors]), shifts);
      const __m512i second =
          _mm512_adds_epi16(_mm512_packs_epi32(codes[2 % kVectors], codes[3 % kVectors]), shifts);
      // In each lane of 128 bits: four bytes of every vector.
      const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
      __m512i bytes = _mm512_permutexvar_epi32(order, _mm512_packus_epi16(first, second));
      bytes = _mm512_max_epu8(bytes, _mm512_set1_epi8(static_cast<char>(to_.low)));
      bytes = _mm512_min_epu8(bytes, _mm512_set1_epi8(static_cast<char>(to_.high)));
      const auto mask = static_cast<__mmask64>(
          tile_.columns >= 64 ? ~uint64_t{0} : (uint64_t{1} << tile_.columns) - 1);
      _mm512_mask_storeu_epi8(out, mask, bytes);
      return;
    }
    const __m512i shifts = _mm512_set1_epi32(shift);
    const __m512i low = _mm512_set1_epi32(to_.low), high = _mm512_set1_epi32(to_.high);
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const __m512i shifted =
          _mm512_add_epi32(_mm512_min_epi32(codes[v], _mm512_set1_epi32(1024)), shifts);
      const __m512i code = _mm512_min_epi32(_mm512_max_epi32(shifted, low), high);
      _mm_mask_storeu_epi8(out + 16 * v, c.masks[v], _mm512_cvtepi32_epi8(code));
    }
  }

  const Epilogue::ToCodes& to_;
  const SumTile& tile_;
  const Columns& columns_;
  mutable unsigned nan_ = 0;
};

template <int kVectors>
void run_rows(const CodeRows& rows, const Columns& columns, uint8_t* out, int64_t row_size) {
  const bool zeros = columns.weight_zero != nullptr, bias = columns.bias != nullptr;
  if (zeros && bias) return rows.run<kVectors, true, true>(out, row_size);
  if (zeros) return rows.run<kVectors, true, false>(out, row_size);
  if (bias) return rows.run<kVectors, false, true>(out, row_size);
  rows.run<kVectors, false, false>(out, row_size);
}

}  // namespace

void codes_by_avx512(const Epilogue::ToCodes& to, const SumTile& tile, const Columns& columns,
                     uint8_t* out, int64_t row_size) {
  const CodeRows rows(to, tile, columns);
  switch ((tile.columns + 15) / 16) {
    case 1:
      return run_rows<1>(rows, columns, out, row_size);
    case 2:
      return run_rows<2>(rows, columns, out, row_size);
    case 3:
      return run_rows<3>(rows, columns, out, row_size);
    default:
      return run_rows<4>(rows, columns, out, row_size);
  }
}

}  // namespace ptq::runtime::integer
#endif
