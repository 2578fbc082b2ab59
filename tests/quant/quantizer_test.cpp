#include "ptq/quant/quantizer.h"

#include <gtest/gtest.h>

#include "short_forms.h"

namespace ptq::quant {
namespace {

using namespace testing;

struct FormatCase {
  IntegerFormat format;
  double quant_min, quant_max, threshold_divisor;
};

class Formats : public ::testing::TestWithParam<FormatCase> {};

TEST_P(Formats, HaveTheBoundsAndDivisorOfTheReference) {
  const FormatCase& expected = GetParam();
  EXPECT_EQ(expected.format.quant_min(), expected.quant_min);
  EXPECT_EQ(expected.format.quant_max(), expected.quant_max);
  EXPECT_EQ(expected.format.threshold_divisor(), expected.threshold_divisor);
}

// reference-contract 3.1
INSTANTIATE_TEST_SUITE_P(
    Table, Formats,
    ::testing::Values(FormatCase{{8, true, false}, -128, 127, 128},
                      FormatCase{{8, true, true}, -127, 127, 127},
                      FormatCase{{8, false, false}, 0, 255, 255},
                      FormatCase{{8, false, true}, 0, 254, 254},
                      FormatCase{{2, true, false}, -2, 1, 2}, FormatCase{{4, true, true}, -7, 7, 7},
                      FormatCase{{32, true, false}, -2147483648.0, 2147483647.0, 2147483648.0}));

struct DivisorCase {
  NumberFormat format;
  ScaleType scale_type;
  Granularity granularity;
  double expected;
};

class ThresholdDivisor : public ::testing::TestWithParam<DivisorCase> {};

TEST_P(ThresholdDivisor, IsThatOfTheTable) {
  Quantizer quantizer;
  quantizer.format = GetParam().format;
  quantizer.scale_type = GetParam().scale_type;
  quantizer.granularity = GetParam().granularity;
  EXPECT_EQ(threshold_divisor(quantizer), GetParam().expected);
  QuantizerTable table;
  EXPECT_EQ(table.scale_of(table.add(quantizer)).threshold_divisor, GetParam().expected);
}

// reference-contract 3.1; groups by OCP's rule
INSTANTIATE_TEST_SUITE_P(
    Table, ThresholdDivisor,
    ::testing::Values(DivisorCase{IntegerFormat{8, true, false}, kFloat, kTensor, 128},
                      DivisorCase{IntegerFormat{8, true, true}, kFloat, kTensor, 127},
                      DivisorCase{IntegerFormat{8, true, true}, kPowers, kTensor, 128},
                      DivisorCase{IntegerFormat{8, false, false}, kPowers, kTensor, 256},
                      DivisorCase{IntegerFormat{8, false, true}, kPowers, kTensor, 256},
                      DivisorCase{IntegerFormat{8, true, false}, kPowers, kGroup, 64},
                      DivisorCase{IntegerFormat{8, false, false}, kPowers, kGroup, 128},
                      DivisorCase{IntegerFormat{4, true, true}, kPowers, kGroup, 4},
                      DivisorCase{MinifloatFormat{4, 3}, kFloat, kTensor, 480},
                      DivisorCase{MinifloatFormat{4, 3, kOcp}, kFloat, kTensor, 448},
                      DivisorCase{MinifloatFormat{4, 3, kOcp}, kPowers, kGroup, 256},
                      DivisorCase{MinifloatFormat{3, 4, kOcp}, kPowers, kGroup, 16},
                      DivisorCase{MinifloatFormat{2, 1, kOcp}, kPowers, kGroup, 4}));

TEST(GroupShape, RoundsUpAndTakesAnAxisFromTheEnd) {
  EXPECT_EQ(group_shape({4, 65, 3, 3}, 1, 32), (std::vector<int64_t>{4, 3, 3, 3}));
  EXPECT_EQ(group_shape({4, 64}, -1, 32), (std::vector<int64_t>{4, 2}));
  EXPECT_EQ(group_shape({1, 5}, 1, 32), (std::vector<int64_t>{1, 1}));
}

TEST(NumberFormat, KnowsItsWidthAndSign) {
  EXPECT_EQ(bit_width(IntegerFormat{6, false, false}), 6);
  EXPECT_EQ(bit_width(MinifloatFormat{3, 2}), 6);
  EXPECT_FALSE(is_signed(IntegerFormat{6, false, false}));
  EXPECT_TRUE(is_signed(IntegerFormat{6, true, false}));
  EXPECT_TRUE(is_signed(MinifloatFormat{3, 2}));
}

TEST(QuantizerTable, GivesEveryQuantizerItsOwnScale) {
  QuantizerTable table;
  const auto a = table.add({});
  const auto b = table.add({});
  EXPECT_NE(table.at(a).scale, table.at(b).scale);
}

TEST(QuantizerTable, SharesAScaleOnRequest) {
  QuantizerTable table;
  const auto signed_id = table.add({});
  Quantizer relu;
  relu.format = IntegerFormat{8, false, false};
  const auto unsigned_id = table.add_sharing_scale(relu, signed_id);
  EXPECT_EQ(table.at(unsigned_id).scale, table.at(signed_id).scale);
  EXPECT_EQ(table.scale_of(unsigned_id).threshold_divisor, 128);
}

}  // namespace
}  // namespace ptq::quant
