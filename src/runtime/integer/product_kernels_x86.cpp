#include "runtime/integer/product_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <array>
#include <cstring>
#include <utility>
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

using Tile = void (*)(const TileRows&, const uint8_t*, const void*, int32_t*);

#define PTQ_PRODUCT_TILE(name, isa, Vector, zero, broadcast, load, store, multiply_add)           \
  template <int kRows, int kVectors>                                                              \
  __attribute__((target(isa))) void name(const TileRows& rows, const uint8_t* data,               \
                                         const void* panel, int32_t* sums) {                      \
    Vector sum[kRows][kVectors];                                                                  \
    _Pragma("GCC unroll 32") for (int r = 0; r < kRows; ++r) {                                    \
      _Pragma("GCC unroll 4") for (int v = 0; v < kVectors; ++v) sum[r][v] = zero();              \
    }                                                                                             \
    const auto* w = static_cast<const Vector*>(panel);                                            \
    const int64_t row_bytes = rows.row_bytes, steps = rows.steps, piece_bytes = rows.piece_bytes; \
    for (int64_t pieces = rows.pieces; pieces > 0; --pieces, data += piece_bytes) {               \
      const uint8_t* x = data;                                                                    \
      for (int64_t step = 0; step < steps; ++step, w += kVectors, x += 4) {                       \
        Vector weights[kVectors];                                                                 \
        _Pragma("GCC unroll 4") for (int v = 0; v < kVectors; ++v) weights[v] = load(w + v);      \
        _Pragma("GCC unroll 32") for (int r = 0; r < kRows; ++r) {                                \
          const Vector terms = broadcast(load_32(x + r * row_bytes));                             \
          _Pragma("GCC unroll 4") for (int v = 0; v < kVectors; ++v) {                            \
            sum[r][v] = multiply_add(sum[r][v], terms, weights[v]);                               \
          }                                                                                       \
        }                                                                                         \
      }                                                                                           \
    }                                                                                             \
    auto* out = reinterpret_cast<Vector*>(sums);                                                  \
    _Pragma("GCC unroll 32") for (int r = 0; r < kRows; ++r) {                                    \
      _Pragma("GCC unroll 4") for (int v = 0; v < kVectors; ++v) {                                \
        store(out + r * kVectors + v, sum[r][v]);                                                 \
      }                                                                                           \
    }                                                                                             \
  }                                                                                               \
  /* Those of one row, of two, and so on. */                                                      \
  template <int kVectors, int... kRows>                                                           \
  constexpr std::array<Tile, sizeof...(kRows)> name(std::integer_sequence<int, kRows...>) {       \
    return {name<kRows + 1, kVectors>...};                                                        \
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

/// As few tiles as hold all rows, and none much lower than the others: a low one waits for its
/// products more than it multiplies.
template <size_t kMost>
void run_tiles(const std::array<Tile, kMost>& tiles, const TileRows& rows, const void* panel,
               int64_t columns, int32_t* sums) {
  const auto* data = static_cast<const uint8_t*>(rows.data);
  int64_t left = rows.count;
  for (int64_t parts = (left + kMost - 1) / kMost; parts > 0; --parts) {
    const int64_t now = (left + parts - 1) / parts;
    tiles[static_cast<size_t>(now - 1)](rows, data, panel, sums);
    data += now * rows.row_bytes, sums += now * columns, left -= now;
  }
}

#define PTQ_TILES(name, rows, vectors) name<vectors>(std::make_integer_sequence<int, rows>())

constexpr int64_t kRowsOf512[] = {0, 16, 12, 8, 6};
int64_t rows_of_512(int64_t columns) { return kRowsOf512[columns / 16]; }

#define PTQ_KERNEL_512(function, name)                                                     \
  void function(const TileRows& rows, const void* panel, int64_t columns, int32_t* sums) { \
    static constexpr auto kOne = PTQ_TILES(name, 16, 1);                                   \
    static constexpr auto kTwo = PTQ_TILES(name, 12, 2);                                   \
    static constexpr auto kThree = PTQ_TILES(name, 8, 3);                                  \
    static constexpr auto kFour = PTQ_TILES(name, 6, 4);                                   \
    switch (columns / 16) {                                                                \
      case 1:                                                                              \
        return run_tiles(kOne, rows, panel, columns, sums);                                \
      case 2:                                                                              \
        return run_tiles(kTwo, rows, panel, columns, sums);                                \
      case 3:                                                                              \
        return run_tiles(kThree, rows, panel, columns, sums);                              \
      default:                                                                             \
        return run_tiles(kFour, rows, panel, columns, sums);                               \
    }                                                                                      \
  }
PTQ_KERNEL_512(avx512_vnni_product, avx512_vnni)
PTQ_KERNEL_512(avx512_madd_product, avx512_madd)

/// Several times what stays in registers, so that an epilogue has enough to do.
int64_t rows_of_few(int64_t columns) { return kTileElements / columns; }

#define PTQ_KERNEL_TWO_VECTORS(function, name, most)                                       \
  void function(const TileRows& rows, const void* panel, int64_t columns, int32_t* sums) { \
    static constexpr auto kTiles = PTQ_TILES(name, most, 2);                               \
    run_tiles(kTiles, rows, panel, columns, sums);                                         \
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
