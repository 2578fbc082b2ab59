#include <ATen/ops/rand.h>
#include <ATen/ops/scalar_tensor.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "quant/fake_quantize.h"
#include "short_forms.h"

namespace ptq::quant {
namespace {

using namespace testing;

MinifloatParams params_of(const MinifloatFormat& format, float scale = 1) {
  return {scale, format.mantissa_bit_width, format.smallest_exponent(),
          static_cast<float>(format.largest())};
}

/// Whether OCP gives the code of these fields to a NaN or infinity.
bool is_special(const MinifloatFormat& format, int exponent, int mantissa) {
  if (format.codes != kOcp) return false;
  if (format.exponent_bit_width == 4 && format.mantissa_bit_width == 3) {
    return exponent == 15 && mantissa == 7;
  }
  return format.exponent_bit_width == 5 && format.mantissa_bit_width == 2 && exponent == 31;
}

/// All numbers that are not negative, from the fields of their codes, smallest first.
std::vector<double> numbers_from_bits(const MinifloatFormat& format) {
  std::vector<double> numbers;
  const int bias = (1 << (format.exponent_bit_width - 1)) - 1;
  for (int exponent = 0; exponent < 1 << format.exponent_bit_width; ++exponent) {
    for (int mantissa = 0; mantissa < 1 << format.mantissa_bit_width; ++mantissa) {
      if (is_special(format, exponent, mantissa)) continue;
      const double fraction = std::ldexp(mantissa, -format.mantissa_bit_width);
      numbers.push_back(exponent == 0 ? std::ldexp(fraction, 1 - bias)
                                      : std::ldexp(1 + fraction, exponent - bias));
    }
  }
  return numbers;
}

class EveryMinifloat : public ::testing::TestWithParam<MinifloatFormat> {};

TEST_P(EveryMinifloat, HasTheLargestAndSmallestNumberOfItsCodes) {
  const std::vector<double> numbers = numbers_from_bits(GetParam());
  EXPECT_EQ(GetParam().largest(), numbers.back());
  EXPECT_EQ(std::ldexp(1.0, GetParam().smallest_exponent()), numbers[1]);
}

TEST_P(EveryMinifloat, KeepsItsOwnNumbersAtAnyScale) {
  for (const float scale : {1.0F, 0.037F, 1e-6F, 3e4F}) {
    const MinifloatParams params = params_of(GetParam(), scale);
    for (const double number : numbers_from_bits(GetParam())) {
      const float x = static_cast<float>(number) * scale;
      ASSERT_EQ(fake_quantize(x, params), x);
      ASSERT_EQ(fake_quantize(-x, params), -x);
    }
  }
}

/// Whether the number half-way from numbers[i] to the next goes down: to an even mantissa. Without
/// mantissa bits it goes up, to twice the step (1.5 steps round to 2), except for the first.
bool tie_goes_down(const MinifloatFormat& format, size_t i) {
  return format.mantissa_bit_width == 0 ? i == 0 : i % 2 == 0;
}

TEST_P(EveryMinifloat, RoundsToTheNearestAndTiesToTheEvenCode) {
  const std::vector<double> numbers = numbers_from_bits(GetParam());
  const MinifloatParams params = params_of(GetParam());
  for (size_t i = 0; i + 1 < numbers.size(); ++i) {
    const auto low = static_cast<float>(numbers[i]);
    const auto high = static_cast<float>(numbers[i + 1]);
    const float middle = (low + high) / 2;
    const float nearest = tie_goes_down(GetParam(), i) ? low : high;
    ASSERT_EQ(fake_quantize(middle, params), nearest) << middle;
    ASSERT_EQ(fake_quantize(-middle, params), -nearest) << middle;
    ASSERT_EQ(fake_quantize(std::nextafter(middle, 0.0F), params), low) << middle;
    ASSERT_EQ(fake_quantize(std::nextafter(middle, kInfinity), params), high) << middle;
  }
}

TEST_P(EveryMinifloat, SaturatesBeyondItsLargest) {
  const MinifloatParams params = params_of(GetParam(), 0.5F);
  const float largest = params.largest * 0.5F;
  for (const float x : {largest * 1.01F, largest * 1.5F, largest * 3, 1e38F, kInfinity}) {
    EXPECT_EQ(fake_quantize(x, params), largest) << x;
    EXPECT_EQ(fake_quantize(-x, params), -largest) << x;
  }
}

TEST_P(EveryMinifloat, IsIdempotentAndMonotone) {
  const MinifloatParams params = params_of(GetParam(), 0.0123F);
  float previous = -kInfinity;
  for (int i = -5000; i <= 5000; ++i) {
    const float part = static_cast<float>(i) / 5000;
    const float x = 1.2F * params.largest * params.scale * part * part * part;
    const float y = fake_quantize(x, params);
    ASSERT_EQ(fake_quantize(y, params), y);
    ASSERT_GE(y, previous);
    previous = y;
  }
}

TEST_P(EveryMinifloat, KeepsZeroAndNanAndFlushesDenormals) {
  const MinifloatParams params = params_of(GetParam());
  EXPECT_EQ(fake_quantize(0.0F, params), 0);
  EXPECT_EQ(fake_quantize(1e-42F, params), 0);
  EXPECT_TRUE(std::isnan(fake_quantize(std::nanf(""), params)));
  EXPECT_TRUE(std::isnan(fake_quantize(-std::nanf(""), params)));
}

TEST_P(EveryMinifloat, LoopsEqualTheEquationElementByElement) {
  const MinifloatParams params = params_of(GetParam(), 0.01F);
  const at::Tensor x = at::rand({1003}).sub(0.5).pow(5).mul(1e3 * params.largest);
  std::vector<float> y(1003);
  fake_quantize(x.data_ptr<float>(), y.data(), x.numel(), params);
  for (size_t i = 0; i < y.size(); ++i) {
    ASSERT_EQ(y[i], fake_quantize(x.data_ptr<float>()[i], params));
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, EveryMinifloat,
                         ::testing::Values(MinifloatFormat{4, 3}, MinifloatFormat{3, 4},
                                           MinifloatFormat{5, 2}, MinifloatFormat{2, 5},
                                           MinifloatFormat{4, 3, kOcp}, MinifloatFormat{5, 2, kOcp},
                                           MinifloatFormat{2, 3, kOcp}, MinifloatFormat{3, 2, kOcp},
                                           MinifloatFormat{2, 1, kOcp}, MinifloatFormat{1, 2},
                                           MinifloatFormat{1, 1}, MinifloatFormat{3, 0},
                                           MinifloatFormat{6, 1}, MinifloatFormat{7, 0},
                                           MinifloatFormat{5, 10}));

struct OcpCase {
  MinifloatFormat format;
  double largest, smallest_subnormal;
};

class OcpTable : public ::testing::TestWithParam<OcpCase> {};

// OCP 8-bit Floating Point Specification, table 2; OCP Microscaling Formats, tables 3 to 5.
TEST_P(OcpTable, HasItsLargestNormalAndSmallestSubnormal) {
  const OcpCase& expected = GetParam();
  EXPECT_EQ(expected.format.largest(), expected.largest);
  const MinifloatParams params = params_of(expected.format);
  const auto smallest = static_cast<float>(expected.smallest_subnormal);
  EXPECT_EQ(fake_quantize(smallest, params), smallest);
  EXPECT_EQ(fake_quantize(smallest * 0.51F, params), smallest);
  EXPECT_EQ(fake_quantize(smallest * 0.5F, params), 0);
  EXPECT_EQ(fake_quantize(kInfinity, params), static_cast<float>(expected.largest));
}

INSTANTIATE_TEST_SUITE_P(Formats, OcpTable,
                         ::testing::Values(OcpCase{{4, 3, kOcp}, 448, std::ldexp(1, -9)},
                                           OcpCase{{5, 2, kOcp}, 57344, std::ldexp(1, -16)},
                                           OcpCase{{2, 3, kOcp}, 7.5, 0.125},
                                           OcpCase{{3, 2, kOcp}, 28, 0.0625},
                                           OcpCase{{2, 1, kOcp}, 6, 0.5}));

TEST(Minifloat, CodesAreTheNumbersBeforeScaling) {
  const MinifloatParams params = params_of({2, 1, kOcp}, 0.25F);
  EXPECT_EQ(quantize(0.8F, params), 3);  // 3.2
  EXPECT_EQ(quantize(-9.0F, params), -6);
}

}  // namespace
}  // namespace ptq::quant
