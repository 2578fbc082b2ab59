#include "runtime/integer/epilogue_vector.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define PTQ_AVX512_CODE __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl"), always_inline))

namespace ptq::runtime::integer {
namespace {

constexpr int kNearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;

/// What a stage keeps in registers.
struct Rounding {
  __m512 scale, reciprocal, zero_point, low, high, near_tie;
};

/// round(x / s + z), clamped. The division is a multiplication by 1 / s wherever that gives the
/// same integer: further from a tie than its error. Else, and for NaN, it is a division.
PTQ_AVX512_CODE inline __m512 codes_of(__m512 x, const Rounding& p) {
  const __m512 y = _mm512_add_ps(_mm512_mul_ps(x, p.reciprocal), p.zero_point);
  __m512 code = _mm512_roundscale_ps(y, kNearest);
  const __m512 off = _mm512_abs_ps(_mm512_sub_ps(y, code));
  if (__builtin_expect(_mm512_cmp_ps_mask(off, p.near_tie, _CMP_NLE_UQ) != 0, 0)) {
    if (_mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q) != 0) {
      throw quant::NotANumber();
    }
    code = _mm512_roundscale_ps(_mm512_add_ps(_mm512_div_ps(x, p.scale), p.zero_point), kNearest);
  }
  return _mm512_max_ps(_mm512_min_ps(code, p.high), p.low);
}

PTQ_AVX512_CODE inline __m512 dequantized(__m512 code, const Rounding& p) {
  return _mm512_mul_ps(_mm512_sub_ps(code, p.zero_point), p.scale);
}

}  // namespace

struct VectorRows {
  template <class Stage>
  PTQ_AVX512_CODE static inline Rounding rounding(const Stage& stage) {
    const quant::QParams& q = stage.format.params;
    return {_mm512_set1_ps(q.scale),      _mm512_set1_ps(stage.reciprocal),
            _mm512_set1_ps(q.zero_point), _mm512_set1_ps(q.quant_min),
            _mm512_set1_ps(q.quant_max),  _mm512_set1_ps(stage.near_tie)};
  }

  /// One stage over a row's vectors.
  template <int kVectors, class Stage>
  PTQ_AVX512_CODE static inline void run(const Stage& stage, int64_t place, const __mmask16* masks,
                                         __m512* x, uint8_t* bytes) {
    using Kind = decltype(stage.kind);
    switch (stage.kind) {
      case Kind::kClamp: {
        const __m512 low = _mm512_set1_ps(stage.low), high = _mm512_set1_ps(stage.high);
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) x[v] = _mm512_min_ps(high, _mm512_max_ps(low, x[v]));
        break;
      }
      case Kind::kFake: {
        const Rounding p = rounding(stage);
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) x[v] = dequantized(codes_of(x[v], p), p);
        break;
      }
      case Kind::kAddBytes: {
        const auto* from = static_cast<const uint8_t*>(stage.operand) + place;
        const __m512i offset = _mm512_set1_epi32(stage.format.offset);
        const Rounding p = rounding(stage);
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) {
          const __m128i loaded = _mm_maskz_loadu_epi8(masks[v], from + 16 * v);
          const __m512i code = _mm512_sub_epi32(_mm512_cvtepu8_epi32(loaded), offset);
          x[v] = _mm512_add_ps(x[v], dequantized(_mm512_cvtepi32_ps(code), p));
        }
        break;
      }
      case Kind::kAddFloats: {
        const auto* from = static_cast<const float*>(stage.operand) + place;
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) {
          x[v] = _mm512_add_ps(x[v], _mm512_maskz_loadu_ps(masks[v], from + 16 * v));
        }
        break;
      }
      case Kind::kQuantize: {
        const Rounding p = rounding(stage);
        const __m512i offset = _mm512_set1_epi32(stage.format.offset);
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) {
          const __m512i code = _mm512_add_epi32(_mm512_cvtps_epi32(codes_of(x[v], p)), offset);
          _mm_mask_storeu_epi8(bytes + place + 16 * v, masks[v], _mm512_cvtepi32_epi8(code));
        }
        break;
      }
    }
  }

  /// Sums to values, sixteen columns a vector.
  template <int kVectors>
  struct Start {
    __m512i constant[kVectors], weight_zero[kVectors];
    __m512 scale[kVectors], bias[kVectors];
    __mmask16 masks[kVectors];
    bool has_zero, has_bias;
  };

  template <int kVectors>
  PTQ_AVX512_CODE static inline Start<kVectors> start(const SumTile& tile, const Columns& columns) {
    Start<kVectors> s;
    s.has_zero = columns.weight_zero != nullptr, s.has_bias = columns.bias != nullptr;
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const int64_t left = tile.columns - 16 * v, at = tile.first_column + 16 * v;
      s.masks[v] = static_cast<__mmask16>(left >= 16 ? 0xFFFF : (1 << left) - 1);
      s.constant[v] = _mm512_maskz_loadu_epi32(s.masks[v], columns.constant + at);
      s.scale[v] = _mm512_maskz_loadu_ps(s.masks[v], columns.scale + at);
      s.weight_zero[v] = s.has_zero ? _mm512_maskz_loadu_epi32(s.masks[v], columns.weight_zero + at)
                                    : _mm512_setzero_si512();
      s.bias[v] =
          s.has_bias ? _mm512_maskz_loadu_ps(s.masks[v], columns.bias + at) : _mm512_setzero_ps();
    }
    return s;
  }

  template <int kVectors>
  PTQ_AVX512_CODE static inline void values(const Start<kVectors>& s, const int32_t* sums,
                                            const int32_t* row_sum, __m512* x) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const __m512i loaded = _mm512_maskz_loadu_epi32(s.masks[v], sums + 16 * v);
      __m512i sum = _mm512_add_epi32(loaded, s.constant[v]);
      if (s.has_zero) {
        const __m512i row = _mm512_set1_epi32(row_sum == nullptr ? 0 : *row_sum);
        sum = _mm512_sub_epi32(sum, _mm512_mullo_epi32(s.weight_zero[v], row));
      }
      x[v] = _mm512_mul_ps(_mm512_cvtepi32_ps(sum), s.scale[v]);
      if (s.has_bias) x[v] = _mm512_add_ps(x[v], s.bias[v]);
    }
  }

  template <int kVectors, class Stages>
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl"))) static void rows(
      const Stages& stages, const SumTile& tile, const Columns& columns, int64_t row_size,
      uint8_t* bytes, float* floats) {
    const Start<kVectors> s = start<kVectors>(tile, columns);
    for (int64_t row = 0; row < tile.rows; ++row) {
      __m512 x[kVectors];
      values<kVectors>(s, tile.sums + row * tile.sums_stride,
                       tile.row_sums == nullptr ? nullptr : tile.row_sums + row, x);
      const int64_t place = (tile.first_row + row) * row_size + tile.first_column;
      for (const auto& stage : stages) run<kVectors>(stage, place, s.masks, x, bytes);
      if (floats == nullptr) continue;
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        _mm512_mask_storeu_ps(floats + place + 16 * v, s.masks[v], x[v]);
      }
    }
  }
};

void Epilogue::Vector::apply(const Epilogue& e, const SumTile& tile, const Columns& columns) {
  auto* const bytes = e.bytes_ ? static_cast<uint8_t*>(e.out_) : nullptr;
  auto* const floats = e.bytes_ ? nullptr : static_cast<float*>(e.out_);
  const auto run = [&](auto rows) { rows(e.stages_, tile, columns, e.row_size_, bytes, floats); };
  using Stages = decltype(e.stages_);
  using Plain = std::remove_const_t<Stages>;
  switch ((tile.columns + 15) / 16) {
    case 1:
      return run(VectorRows::rows<1, Plain>);
    case 2:
      return run(VectorRows::rows<2, Plain>);
    case 3:
      return run(VectorRows::rows<3, Plain>);
    default:
      return run(VectorRows::rows<4, Plain>);
  }
}

}  // namespace ptq::runtime::integer
#endif
