#include "runtime/integer/depthwise_kernel.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <algorithm>
#include <cstring>

#define PTQ_PAIR_CODE __attribute__((target("avx2")))

// Two kernel rows at once: bytes are widened to int16, side by side, and multiplied in pairs
// (pmaddwd), which is exact.
namespace ptq::runtime::integer {
namespace {

/// Two rows of sixteen bytes to sixteen columns of two int16.
PTQ_PAIR_CODE inline void store_pairs(const VectorRows<2>& rows, __m256i* out) {
  const __m128i first = _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows.at[0]));
  const __m128i second = _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows.at[1]));
  _mm256_storeu_si256(out, _mm256_cvtepu8_epi16(_mm_unpacklo_epi8(first, second)));
  _mm256_storeu_si256(out + 1, _mm256_cvtepu8_epi16(_mm_unpackhi_epi8(first, second)));
}

PTQ_PAIR_CODE
void load_pairs(const Windows& w, const uint8_t* in, int64_t top, uint8_t zero, void* block) {
  alignas(16) uint8_t zeros[kBlockChannels];
  std::memset(zeros, zero, sizeof(zeros));
  const int64_t reached = columns_reached(w), of_column = vectors_of(w, kPairs);
  const int64_t inside = std::min(reached, w.padding_x + w.in_width);
  const VectorRows<2> outside{{zeros, zeros}, {0, 0}};
  for (int64_t pair = 0; pair < of_column; ++pair) {
    VectorRows<2> rows = vector_rows<2>(w, in, top, 2 * pair, zeros);
    auto* out = static_cast<__m256i*>(block) + 2 * pair;
    int64_t column = 0;
    for (; column < std::min(w.padding_x, reached); ++column, out += 2 * of_column) {
      store_pairs(outside, out);
    }
    for (; column < inside; ++column, out += 2 * of_column) {
      store_pairs(rows, out);
      rows.at[0] += rows.step[0], rows.at[1] += rows.step[1];
    }
    for (; column < reached; ++column, out += 2 * of_column) store_pairs(outside, out);
  }
}

/// Eight channels, whose weights stay in registers.
template <int kTaps>
PTQ_PAIR_CODE void multiply_pairs_of(const __m256i* x, const __m256i* weights, int64_t step,
                                     int64_t count, int32_t* sums) {
  __m256i w[kTaps];
#pragma GCC unroll 8
  for (int tap = 0; tap < kTaps; ++tap) w[tap] = _mm256_loadu_si256(weights + 2 * tap);
  for (int64_t i = 0; i < count; ++i, x += step, sums += kBlockChannels) {
    __m256i sum = _mm256_madd_epi16(_mm256_loadu_si256(x), w[0]);
#pragma GCC unroll 8
    for (int tap = 1; tap < kTaps; ++tap) {
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_loadu_si256(x + 2 * tap), w[tap]));
    }
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums), sum);
  }
}

PTQ_PAIR_CODE
void multiply_pairs(const Windows& w, const void* block, const void* weights, int64_t first_x,
                    int64_t count, int32_t* sums) {
  const int64_t of_column = vectors_of(w, kPairs), step = 2 * w.stride_x * of_column;
  const auto* x = static_cast<const __m256i*>(block) + first_x * step;
  const auto* all = static_cast<const __m256i*>(weights);
  for (int64_t half = 0; half < 2; ++half, ++x, ++all, sums += kBlockChannels / 2) {
    if (w.dilation_x == 1 && of_column == 2 && w.kernel_width == 3) {
      multiply_pairs_of<6>(x, all, step, count, sums);
      continue;
    }
    for (int64_t i = 0; i < count; ++i) {
      __m256i sum = _mm256_setzero_si256();
      for (int64_t tap = 0; tap < w.kernel_width; ++tap) {
        const __m256i* from = x + i * step + 2 * tap * w.dilation_x * of_column;
        for (int64_t pair = 0; pair < of_column; ++pair) {
          const __m256i products =
              _mm256_madd_epi16(_mm256_loadu_si256(from + 2 * pair),
                                _mm256_loadu_si256(all + 2 * (tap * of_column + pair)));
          sum = _mm256_add_epi32(sum, products);
        }
      }
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums + i * kBlockChannels), sum);
    }
  }
}

}  // namespace

const DepthwiseKernel kPairs{2, load_pairs, multiply_pairs};

}  // namespace ptq::runtime::integer
#endif
