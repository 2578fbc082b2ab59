#include "runtime/integer/product_kernel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "runtime/integer/packed_columns.h"

namespace ptq::runtime::integer {
namespace {

/// Rows of two pieces that overlap, as neighbouring windows do, and weights in panels.
class ProductKernels : public ::testing::TestWithParam<bool> {
 protected:
  static constexpr int64_t kPieces = 2, kTerms = 11, kRowTerms = 3, kPieceTerms = 400;

  ProductKernels() : bytes_(2 * kPieceTerms), weights_(kPieces * kTerms * kColumns) {
    std::mt19937 random(7);
    for (uint8_t& byte : bytes_) byte = extreme() ? 255 : static_cast<uint8_t>(random());
    for (int8_t& weight : weights_) weight = extreme() ? -128 : static_cast<int8_t>(random());
  }

  static bool extreme() { return GetParam(); }

  int32_t sum(int64_t row, int64_t column) const {
    int32_t sum = 0;
    for (int64_t term = 0; term < kPieces * kTerms; ++term) {
      const int64_t at = row * kRowTerms + term / kTerms * kPieceTerms + term % kTerms;
      sum +=
          bytes_[static_cast<size_t>(at)] * weights_[static_cast<size_t>(term * kColumns + column)];
    }
    return sum;
  }

  static constexpr int64_t kColumns = 84;
  std::vector<uint8_t> bytes_;
  std::vector<int8_t> weights_;
};

TEST_P(ProductKernels, MakeTheSumsOfTheDefinition) {
  for (const ProductKernel& kernel : product_kernels()) {
    const PanelShape shape(kernel, kPieces * kTerms, kColumns, kPieces);
    const AlignedBytes packed(shape.bytes());
    shape.pack(weights_.data(), kColumns, 1, false, packed.data());
    const std::vector<int16_t> wide(bytes_.begin(), bytes_.end());
    const int64_t element = kernel.element_bytes;
    for (const PanelShape::Panel& panel : shape.panels()) {
      for (int64_t count = 1; count <= kernel.tile_rows(panel.columns); ++count) {
        alignas(64) int32_t sums[kTileElements];
        kernel.tile(
            {element == 1 ? static_cast<const void*>(bytes_.data()) : wide.data(),
             kRowTerms * element, count, kPieces, kPieceTerms * element, shape.depth_steps()},
            static_cast<const uint8_t*>(packed.data()) + panel.offset, panel.columns, sums);
        for (int64_t row = 0; row < count; ++row) {
          for (int64_t c = 0; c < std::min(panel.columns, kColumns - panel.first); ++c) {
            ASSERT_EQ(sums[row * panel.columns + c], sum(row, panel.first + c))
                << kernel.name << ", " << count << " rows";
          }
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Codes, ProductKernels, ::testing::Bool(),
                         [](const auto& extreme) { return extreme.param ? "Extreme" : "Random"; });

}  // namespace
}  // namespace ptq::runtime::integer
