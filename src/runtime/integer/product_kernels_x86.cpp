#include "runtime/integer/product_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <cstring>
#endif

// Every kernel is one template: the sums of some rows and some vectors of columns stay in registers
// while the depth passes by. VNNI multiplies four bytes by four int8 and adds into 32 bits without
// saturation (vpdpbusd); without it, bytes are widened to int16 first and multiplied in pairs
// (pmaddwd), which is exact too. pmaddubsw, which saturates, is never used.
namespace ptq::runtime::integer {

#if defined(__x86_64__)
namespace {

inline int32_t load_32(const void* from) {
  int32_t bits;
  std::memcpy(&bits, from, sizeof(bits));
  return bits;
}

#define PTQ_PRODUCT_TILE(name, isa, Vector, zero, broadcast, load, store, multiply_add)     \
  template <int kRows, int kVectors>                                                        \
  __attribute__((target(isa))) void name(const uint8_t* rows, int64_t row_bytes,            \
                                         const void* panel, int64_t steps, int32_t* sums) { \
    Vector sum[kRows][kVectors];                                                            \
    _Pragma("GCC unroll 32") for (int r = 0; r < kRows; ++r) {                              \
      _Pragma("GCC unroll 4") for (int v = 0; v < kVectors; ++v) sum[r][v] = zero();        \
    }                                                                                       \
    const auto* w = static_cast<const Vector*>(panel);                                      \
    for (int64_t step = 0; step < steps; ++step, w += kVectors, rows += 4) {                \
      Vector weights[kVectors];                                                             \
      _Pragma("GCC unroll 4") for (int v = 0; v < kVectors; ++v) weights[v] = load(w + v);  \
      _Pragma("GCC unroll 32") for (int r = 0; r < kRows; ++r) {                            \
        const Vector x = broadcast(load_32(rows + r * row_bytes));                          \
        _Pragma("GCC unroll 4") for (int v = 0; v < kVectors; ++v) {                        \
          sum[r][v] = multiply_add(sum[r][v], x, weights[v]);                               \
        }                                                                                   \
      }                                                                                     \
    }                                                                                       \
    auto* out = reinterpret_cast<Vector*>(sums);                                            \
    _Pragma("GCC unroll 32") for (int r = 0; r < kRows; ++r) {                              \
      _Pragma("GCC unroll 4") for (int v = 0; v < kVectors; ++v) {                          \
        store(out + r * kVectors + v, sum[r][v]);                                           \
      }                                                                                     \
    }                                                                                       \
  }

#define PTQ_AVX512 "avx512f,avx512bw,avx512dq,avx512vl"
#define PTQ_AVX512_VNNI PTQ_AVX512 ",avx512vnni"
#define PTQ_MADD_512(sum, x, w) _mm512_add_epi32(sum, _mm512_madd_epi16(x, w))
#define PTQ_MADD_256(sum, x, w) _mm256_add_epi32(sum, _mm256_madd_epi16(x, w))
#define PTQ_MADD_128(sum, x, w) _mm_add_epi32(sum, _mm_madd_epi16(x, w))
PTQ_PRODUCT_TILE(avx512_vnni, PTQ_AVX512_VNNI, __m512i, _mm512_setzero_si512, _mm512_set1_epi32,
                 _mm512_loadu_si512, _mm512_storeu_si512, _mm512_dpbusd_epi32)
PTQ_PRODUCT_TILE(avx512_madd, PTQ_AVX512, __m512i, _mm512_setzero_si512, _mm512_set1_epi32,
                 _mm512_loadu_si512, _mm512_storeu_si512, PTQ_MADD_512)
PTQ_PRODUCT_TILE(avx2_vnni, "avx2,avxvnni", __m256i, _mm256_setzero_si256, _mm256_set1_epi32,
                 _mm256_loadu_si256, _mm256_storeu_si256, _mm256_dpbusd_avx_epi32)
PTQ_PRODUCT_TILE(avx2_madd, "avx2", __m256i, _mm256_setzero_si256, _mm256_set1_epi32,
                 _mm256_loadu_si256, _mm256_storeu_si256, PTQ_MADD_256)
PTQ_PRODUCT_TILE(sse2_madd, "sse2", __m128i, _mm_setzero_si128, _mm_set1_epi32, _mm_loadu_si128,
                 _mm_storeu_si128, PTQ_MADD_128)
#undef PTQ_PRODUCT_TILE

using Tile = void (*)(const uint8_t*, int64_t, const void*, int64_t, int32_t*);

/// Tiles for one width: `full` rows at once while there are so many, then four, two, one.
struct Tiles {
  int64_t full_rows;
  Tile full, four, two, one;
};

void run_tiles(const Tiles& tiles, const void* rows, int64_t row_bytes, int64_t count,
               const void* panel, int64_t steps, int64_t columns, int32_t* sums) {
  const auto* x = static_cast<const uint8_t*>(rows);
  while (count > 0) {
    const int64_t now = count >= tiles.full_rows ? tiles.full_rows
                        : count >= 4             ? 4
                        : count >= 2             ? 2
                                                 : 1;
    const Tile tile = now == tiles.full_rows ? tiles.full
                      : now == 4             ? tiles.four
                      : now == 2             ? tiles.two
                                             : tiles.one;
    tile(x, row_bytes, panel, steps, sums);
    x += now * row_bytes, sums += now * columns, count -= now;
  }
}

#define PTQ_TILES(name, rows, vectors) \
  { rows, name<rows, vectors>, name<4, vectors>, name<2, vectors>, name<1, vectors> }

constexpr int64_t kRowsOf512[] = {0, 16, 12, 8, 6};
int64_t rows_of_512(int64_t columns) { return kRowsOf512[columns / 16]; }

#define PTQ_KERNEL_512(function, name)                                                        \
  void function(const void* rows, int64_t row_bytes, int64_t count, const void* panel,        \
                int64_t steps, int64_t columns, int32_t* sums) {                              \
    static constexpr Tiles kTiles[] = {PTQ_TILES(name, 16, 1), PTQ_TILES(name, 12, 2),        \
                                       PTQ_TILES(name, 8, 3), PTQ_TILES(name, 6, 4)};         \
    run_tiles(kTiles[columns / 16 - 1], rows, row_bytes, count, panel, steps, columns, sums); \
  }
PTQ_KERNEL_512(avx512_vnni_product, avx512_vnni)
PTQ_KERNEL_512(avx512_madd_product, avx512_madd)

/// Several times what stays in registers, so that an epilogue has enough to do.
int64_t rows_of_few(int64_t columns) { return kTileElements / columns; }

#define PTQ_KERNEL_TWO_VECTORS(function, name, most)                                   \
  void function(const void* rows, int64_t row_bytes, int64_t count, const void* panel, \
                int64_t steps, int64_t columns, int32_t* sums) {                       \
    static constexpr Tiles kTiles = PTQ_TILES(name, most, 2);                          \
    run_tiles(kTiles, rows, row_bytes, count, panel, steps, columns, sums);            \
  }
PTQ_KERNEL_TWO_VECTORS(avx2_vnni_product, avx2_vnni, 6)
PTQ_KERNEL_TWO_VECTORS(avx2_madd_product, avx2_madd, 6)
PTQ_KERNEL_TWO_VECTORS(sse2_madd_product, sse2_madd, 4)

}  // namespace

std::vector<ProductKernel> vector_product_kernels() {
  return {
      {"AVX-512 VNNI", CpuIsa::kAvx512Vnni, 64, 16, 4, 1, rows_of_512, avx512_vnni_product},
      {"AVX-VNNI", CpuIsa::kAvx2Vnni, 16, 16, 4, 1, rows_of_few, avx2_vnni_product},
      {"AVX-512", CpuIsa::kAvx512, 64, 16, 2, 2, rows_of_512, avx512_madd_product},
      {"AVX2", CpuIsa::kAvx2, 16, 16, 2, 2, rows_of_few, avx2_madd_product},
      {"SSE2", CpuIsa::kBaseline, 8, 8, 2, 2, rows_of_few, sse2_madd_product},
  };
}
#else
std::vector<ProductKernel> vector_product_kernels() { return {}; }
#endif

}  // namespace ptq::runtime::integer
