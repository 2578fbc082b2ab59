#include "data/normalize.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include "ptq/base/error.h"

namespace ptq::data {
namespace {

using Table = std::array<std::array<float, 3>, 256>;

// A pixel has 256 values, so every result is computed once, with the roundings of the definition.
Table table_of(const Recipe& recipe) {
  Table table = {};
  for (size_t value = 0; value < table.size(); ++value) {
    for (size_t c = 0; c < 3; ++c) {
      const float unit = static_cast<float>(value) / 255.0F;
      table[value][c] = (unit - recipe.mean[c]) / recipe.std[c];
    }
  }
  return table;
}

}  // namespace

at::Tensor normalize(const at::Tensor& pixels, const Recipe& recipe) {
  at::Tensor rows;
  return normalize(pixels, recipe, rows);
}

at::Tensor normalize(const at::Tensor& pixels, const Recipe& recipe, at::Tensor& rows) {
  if (pixels.dim() != 4 || pixels.size(3) != 3 || pixels.scalar_type() != at::kByte ||
      !pixels.is_contiguous()) {
    throw InternalError("normalize: pixels must be contiguous uint8 [N, H, W, 3]");
  }
  const Table table = table_of(recipe);
  if (!rows.defined() || rows.sizes() != pixels.sizes()) {
    rows = at::empty(pixels.sizes(), pixels.options().dtype(at::kFloat));
  }
  const uint8_t* in = pixels.data_ptr<uint8_t>();
  float* out = rows.data_ptr<float>();
  constexpr int64_t kPixelsPerTask = 16384;
  at::parallel_for(0, pixels.numel() / 3, kPixelsPerTask, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin * 3; i < end * 3; i += 3) {
      out[i] = table[in[i]][0];
      out[i + 1] = table[in[i + 1]][1];
      out[i + 2] = table[in[i + 2]][2];
    }
  });
  return rows.permute({0, 3, 1, 2});
}

}  // namespace ptq::data
