#include "data/resample_rows.h"

#include <cstring>

#include "base/cpu_isa.h"
#include "base/vector_loop.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace ptq::data {
namespace {

using Bytes = uint8_t __attribute__((vector_size(32)));
using Words = int32_t __attribute__((vector_size(32)));

// Two pixels side by side as words: red, green, blue and what stands behind.
inline void widen(const uint8_t* one, const uint8_t* other, Words& words) {
  int32_t a = 0, b = 0;
  std::memcpy(&a, one, sizeof a);
  std::memcpy(&b, other, sizeof b);
  const auto bytes = reinterpret_cast<Bytes>(Words{a, 0, 0, 0, b, 0, 0, 0});
  words = reinterpret_cast<Words>(
      __builtin_shufflevector(bytes, bytes, 2, 4, 4, 4, 1, 4, 4, 4, 0, 4, 4, 4, 3, 4, 4, 4, 18, 20,
                              20, 20, 17, 20, 20, 20, 16, 20, 20, 20, 19, 20, 20, 20));
}

inline void clip(Words& sums) {
  const Words least = {}, most = least + 255;
  sums >>= kFractionBits;
  sums = sums < least ? least : sums;
  sums = sums > most ? most : sums;
}

// Half of the words each, of which the fourth is overwritten by the next pixel.
inline void store(const Words& words, const RowPair& rows, int64_t at) {
  constexpr size_t kHalfSize = sizeof(Words) / 2;
  uint8_t both[sizeof(Words)];
  std::memcpy(both, &words, sizeof words);
  std::memcpy(rows.out[0] + at, both, kHalfSize);
  std::memcpy(rows.out[1] + at, both + kHalfSize, kHalfSize);
}

// Two rows share the weights and fill a vector.
constexpr VectorLoop resample_loop = [](const RowPair& rows, const AxisWeights& columns) {
  const int32_t* weight = columns.weights.data();
  int64_t at = 0;
  for (const int64_t first : columns.first) {
    Words sums = Words{} + kHalf;
    for (int64_t t = 0; t < columns.taps; ++t, ++weight) {
      Words pixels;
      widen(rows.in[0] + (first + t) * 3, rows.in[1] + (first + t) * 3, pixels);
      sums += pixels * *weight;
    }
    clip(sums);
    store(sums, rows, at);
    at += 3;
  }
};

#if defined(__x86_64__)
// A product of 32 bits costs as much as four of 16, so weights are cut in two: the sum over
// pixel * weight is that over pixel * low, plus that over pixel * high shifted.
constexpr int kLowBits = 15;

int32_t side_by_side(int32_t one, int32_t other) {
  return static_cast<int32_t>(static_cast<uint32_t>(one & 0xFFFF) | static_cast<uint32_t>(other)
                                                                        << 16U);
}

std::vector<int32_t> paired(const AxisWeights& columns) {
  constexpr int32_t kLow = (1 << kLowBits) - 1;
  std::vector<int32_t> pairs;
  pairs.reserve(static_cast<size_t>(columns.size() * (columns.taps + 1)));
  for (size_t i = 0; i < columns.first.size(); ++i) {
    const int32_t* weights = columns.weights.data() + i * static_cast<size_t>(columns.taps);
    for (int64_t t = 0; t < columns.taps; t += 2) {
      const int32_t one = weights[t], other = t + 1 < columns.taps ? weights[t + 1] : 0;
      pairs.push_back(side_by_side(one & kLow, other & kLow));
      pairs.push_back(side_by_side(one >> kLowBits, other >> kLowBits));
    }
  }
  return pairs;
}

#define PTQ_AVX2 __attribute__((target("avx2")))

PTQ_AVX2 inline __m256i load(const uint8_t* one, const uint8_t* other) {
  const __m128i low = _mm_loadu_si128(reinterpret_cast<const __m128i*>(one));
  const __m128i high = _mm_loadu_si128(reinterpret_cast<const __m128i*>(other));
  return _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
}

// Of the pixels at byte `kAt` and behind it: both reds as 16 bits, both greens, both blues.
template <char kAt>
PTQ_AVX2 inline __m256i two_pixels(__m256i bytes) {
  constexpr char kZero = -1;
  const __m128i places =
      _mm_setr_epi8(kAt + 2, kZero, kAt + 5, kZero, kAt + 1, kZero, kAt + 4, kZero, kAt, kZero,
                    kAt + 3, kZero, kZero, kZero, kZero, kZero);
  return _mm256_shuffle_epi8(bytes, _mm256_broadcastsi128_si256(places));
}

// A template, because a loop of known length over pairs of taps keeps everything in registers.
template <int64_t kPairs>
PTQ_AVX2 void resample_pairs(const RowPair& rows, const AxisWeights& columns,
                             const int32_t* weight) {
  const int64_t pairs = kPairs > 0 ? kPairs : (columns.taps + 1) / 2;
  const auto [in, out] = rows;
  int64_t at = 0;
  for (const int64_t first : columns.first) {
    __m256i low = _mm256_set1_epi32(kHalf), high = _mm256_setzero_si256(), bytes = high;
    for (int64_t p = 0; p < pairs; ++p, weight += 2) {
      if (p % 2 == 0) bytes = load(in[0] + (first + p * 2) * 3, in[1] + (first + p * 2) * 3);
      const __m256i pixels = p % 2 == 0 ? two_pixels<0>(bytes) : two_pixels<6>(bytes);
      low = _mm256_add_epi32(low, _mm256_madd_epi16(pixels, _mm256_set1_epi32(weight[0])));
      high = _mm256_add_epi32(high, _mm256_madd_epi16(pixels, _mm256_set1_epi32(weight[1])));
    }
    const __m256i sums = _mm256_add_epi32(low, _mm256_slli_epi32(high, kLowBits));
    const __m256i above =
        _mm256_max_epi32(_mm256_srai_epi32(sums, kFractionBits), _mm256_setzero_si256());
    const __m256i values = _mm256_min_epi32(above, _mm256_set1_epi32(255));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out[0] + at), _mm256_castsi256_si128(values));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out[1] + at), _mm256_extracti128_si256(values, 1));
    at += 3;
  }
}
#endif

}  // namespace

RowResampler::RowResampler(const AxisWeights& columns) : columns_(columns) {
#if defined(__x86_64__)
  if (may_use(CpuIsa::kAvx2)) pairs_ = paired(columns);
#endif
}

void RowResampler::operator()(const RowPair& rows) const {
#if defined(__x86_64__)
  const int32_t* weights = pairs_.data();
  const int64_t pairs = pairs_.empty() ? 0 : (columns_.taps + 1) / 2;
  if (pairs == 1) return resample_pairs<1>(rows, columns_, weights);
  if (pairs == 2) return resample_pairs<2>(rows, columns_, weights);
  if (pairs == 3) return resample_pairs<3>(rows, columns_, weights);
  if (pairs > 3) return resample_pairs<0>(rows, columns_, weights);
#endif
  resample_loop(rows, columns_);
}

}  // namespace ptq::data
