#include "runtime/integer/depthwise_kernel.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/cpu_isa.h"
#include "base/vector_loop.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define PTQ_QUAD_CODE __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
#endif

namespace ptq::runtime::integer {

int64_t columns_reached(const Windows& w) {
  return (w.out_width - 1) * w.stride_x + (w.kernel_width - 1) * w.dilation_x + 1;
}

namespace {

constexpr VectorLoop add_tap = [](const uint8_t* x, const int16_t* weights, int64_t channels,
                                  int32_t* sums) {
  for (int64_t c = 0; c < channels; ++c) sums[c] += x[c] * weights[c];
};

}  // namespace

void multiply_taps(const uint8_t* const* taps, int64_t count, const int16_t* weights,
                   int64_t stride, int64_t channels, int32_t* sums) {
  std::fill_n(sums, channels, 0);
  for (int64_t tap = 0; tap < count; ++tap, weights += stride) {
    add_tap(taps[tap], weights, channels, sums);
  }
}

#if defined(__x86_64__)
namespace {

/// Four rows of sixteen bytes to sixteen columns of four bytes.
PTQ_QUAD_CODE inline __m512i transposed(const std::array<const uint8_t*, 4>& rows) {
  const auto load = [](const uint8_t* from)
      __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"), always_inline)) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  };
  const __m256i low =
      _mm256_inserti128_si256(_mm256_castsi128_si256(load(rows[0])), load(rows[1]), 1);
  const __m256i high =
      _mm256_inserti128_si256(_mm256_castsi128_si256(load(rows[2])), load(rows[3]), 1);
  const __m512i all = _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
  const __m512i by_fours = _mm512_permutexvar_epi32(
      _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), all);
  const __m512i within =
      _mm512_broadcast_i32x4(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
  return _mm512_shuffle_epi8(by_fours, within);
}

PTQ_QUAD_CODE
void load_quads(const Windows& w, const uint8_t* in, int64_t top, uint8_t zero, void* block) {
  alignas(16) uint8_t zeros[kBlockChannels];
  std::memset(zeros, zero, sizeof(zeros));
  const int64_t reached = columns_reached(w), of_column = vectors_of(w, kQuads);
  const int64_t inside = std::min(reached, w.padding_x + w.in_width);
  const __m512i outside = _mm512_set1_epi8(static_cast<char>(zero));
  for (int64_t quad = 0; quad < of_column; ++quad) {
    VectorRows<4> rows = vector_rows<4>(w, in, top, 4 * quad, zeros);
    auto* out = static_cast<__m512i*>(block) + quad;
    int64_t column = 0;
    for (; column < std::min(w.padding_x, reached); ++column, out += of_column) {
      _mm512_storeu_si512(out, outside);
    }
    for (; column < inside; ++column, out += of_column) {
      _mm512_storeu_si512(out, transposed(rows.at));
      for (size_t i = 0; i < 4; ++i) rows.at[i] += rows.step[i];
    }
    for (; column < reached; ++column, out += of_column) _mm512_storeu_si512(out, outside);
  }
}

template <int kTaps>
PTQ_QUAD_CODE void multiply_quads_of(const __m512i* x, const __m512i* weights, int64_t step,
                                     int64_t count, int32_t* sums) {
  __m512i w[kTaps];
#pragma GCC unroll 8
  for (int tap = 0; tap < kTaps; ++tap) w[tap] = _mm512_loadu_si512(weights + tap);
  for (int64_t i = 0; i < count; ++i, x += step, sums += kBlockChannels) {
    __m512i sum = _mm512_setzero_si512();
#pragma GCC unroll 8
    for (int tap = 0; tap < kTaps; ++tap) {
      sum = _mm512_dpbusd_epi32(sum, _mm512_loadu_si512(x + tap), w[tap]);
    }
    _mm512_storeu_si512(sums, sum);
  }
}

PTQ_QUAD_CODE
void multiply_quads(const Windows& w, const void* block, const void* weights, int64_t first_x,
                    int64_t count, int32_t* sums) {
  const int64_t of_column = vectors_of(w, kQuads);
  const auto* x = static_cast<const __m512i*>(block) + first_x * w.stride_x * of_column;
  const auto* all = static_cast<const __m512i*>(weights);
  if (w.dilation_x == 1 && of_column == 1 && w.kernel_width == 3) {
    return multiply_quads_of<3>(x, all, w.stride_x, count, sums);
  }
  for (int64_t i = 0; i < count; ++i, x += w.stride_x * of_column, sums += kBlockChannels) {
    __m512i sum = _mm512_setzero_si512();
    for (int64_t tap = 0; tap < w.kernel_width; ++tap) {
      for (int64_t quad = 0; quad < of_column; ++quad) {
        sum =
            _mm512_dpbusd_epi32(sum, _mm512_loadu_si512(x + tap * w.dilation_x * of_column + quad),
                                _mm512_loadu_si512(all + tap * of_column + quad));
      }
    }
    _mm512_storeu_si512(sums, sum);
  }
}

}  // namespace

const DepthwiseKernel kQuads{4, load_quads, multiply_quads};

const DepthwiseKernel* depthwise_kernel(bool symmetric) {
  if (may_use(CpuIsa::kAvx512Vnni) && symmetric) return &kQuads;
  return may_use(CpuIsa::kAvx2) ? &kPairs : nullptr;
}
#else
const DepthwiseKernel* depthwise_kernel(bool /*symmetric*/) { return nullptr; }
#endif

}  // namespace ptq::runtime::integer
