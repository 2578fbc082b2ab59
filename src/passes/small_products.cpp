#include "passes/small_products.h"

#include <algorithm>

#include "passes/add_scaled.h"
#include "quant/vector_clones.h"

namespace ptq::passes {
namespace {

/// Columns that all rows of a matrix are multiplied over before the next: they stay in the nearest
/// cache, and their float sums stay exact enough.
constexpr int64_t kChunk = 512;

PTQ_VECTOR_CLONES float dot(const float* a, const float* b, int64_t count) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < count; ++i) sum += a[i] * b[i];
  return sum;
}

/// Four rows of `b`, `stride` apart, at once: each element of `a` is read once for all.
PTQ_VECTOR_CLONES void dot4(const float* a, const float* b, int64_t stride, int64_t count,
                            float* sums) {
  float s0 = 0, s1 = 0, s2 = 0, s3 = 0;
#pragma omp simd reduction(+ : s0, s1, s2, s3)
  for (int64_t i = 0; i < count; ++i) {
    s0 += a[i] * b[i];
    s1 += a[i] * b[i + stride];
    s2 += a[i] * b[i + 2 * stride];
    s3 += a[i] * b[i + 3 * stride];
  }
  sums[0] = s0, sums[1] = s1, sums[2] = s2, sums[3] = s3;
}

}  // namespace

void add_small_product(at::Tensor& sum, const at::Tensor& a, const at::Tensor& b, float factor) {
  const int64_t rows = a.size(0), columns = a.size(1);
  const float* const first = a.data_ptr<float>();
  const float* const second = b.data_ptr<float>();
  for (int64_t begin = 0; begin < columns; begin += kChunk) {
    const int64_t count = std::min(kChunk, columns - begin);
    for (int64_t i = 0; i < rows; ++i) {
      const float* const row = first + i * a.stride(0) + begin;
      const float* const others = second + begin;
      float* const out = sum.data_ptr<float>() + i * sum.stride(0);
      int64_t j = 0;
      for (; j + 4 <= rows; j += 4) {
        float sums[4];
        dot4(row, others + j * b.stride(0), b.stride(0), count, sums);
        for (int64_t k = 0; k < 4; ++k) out[j + k] += factor * sums[k];
      }
      for (; j < rows; ++j) out[j] += factor * dot(row, others + j * b.stride(0), count);
    }
  }
}

double small_energy(const at::Tensor& weight, const at::Tensor& columns) {
  double energy = 0;
  float sums[kChunk];
  for (int64_t begin = 0; begin < columns.size(1); begin += kChunk) {
    const int64_t count = std::min(kChunk, columns.size(1) - begin);
    for (int64_t out = 0; out < weight.size(0); ++out) {
      std::fill(sums, sums + count, 0.0F);
      for (int64_t row = 0; row < columns.size(0); ++row) {
        add_scaled(sums, columns.data_ptr<float>() + row * columns.stride(0) + begin,
                   weight.data_ptr<float>()[out * weight.stride(0) + row], count);
      }
      energy += dot(sums, sums, count);
    }
  }
  return energy;
}

double sum_of_squares(const float* values, int64_t count) {
  double sum = 0;
  for (int64_t begin = 0; begin < count; begin += kChunk) {
    const float* const part = values + begin;
    sum += dot(part, part, std::min(kChunk, count - begin));
  }
  return sum;
}

}  // namespace ptq::passes
