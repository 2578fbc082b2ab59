#include "ptq/quant/quantizer.h"

#include <gtest/gtest.h>

namespace ptq::quant {
namespace {

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

// reference-behaviour 3.1
INSTANTIATE_TEST_SUITE_P(
    Table, Formats,
    ::testing::Values(FormatCase{{8, true, false}, -128, 127, 128},
                      FormatCase{{8, true, true}, -127, 127, 127},
                      FormatCase{{8, false, false}, 0, 255, 255},
                      FormatCase{{8, false, true}, 0, 254, 254},
                      FormatCase{{2, true, false}, -2, 1, 2}, FormatCase{{4, true, true}, -7, 7, 7},
                      FormatCase{{32, true, false}, -2147483648.0, 2147483647.0, 2147483648.0}));

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
  relu.format.is_signed = false;
  const auto unsigned_id = table.add_sharing_scale(relu, signed_id);
  EXPECT_EQ(table.at(unsigned_id).scale, table.at(signed_id).scale);
  EXPECT_EQ(table.scale_of(unsigned_id).threshold_divisor, 128);
}

}  // namespace
}  // namespace ptq::quant
