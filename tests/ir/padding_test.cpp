#include "ir/padding.h"

#include <gtest/gtest.h>

namespace ptq::ir {
namespace {

const Dims kBelowAndRight{{0, false}, {1, false}, {0, false}, {1, false}};

TEST(ZeroPadding, IsWhatPadsWithZeros) {
  const Ints expected{0, 1, 0, 1};
  EXPECT_EQ(zero_padding(Opaque{"aten::constant_pad_nd", "", {InputRef{0}, kBelowAndRight, 0.0}}),
            expected);
  EXPECT_EQ(zero_padding(Opaque{"aten::constant_pad_nd", "", {InputRef{0}, kBelowAndRight, Dim{}}}),
            expected);
  const std::string constant = "constant";
  EXPECT_EQ(zero_padding(
                Opaque{"aten::pad", "", {InputRef{0}, kBelowAndRight, constant, std::monostate{}}}),
            expected);
}

TEST(ZeroPadding, IsNothingElse) {
  EXPECT_FALSE(
      zero_padding(Opaque{"aten::constant_pad_nd", "", {InputRef{0}, kBelowAndRight, -1.5}}));
  const std::string reflect = "reflect";
  EXPECT_FALSE(zero_padding(
      Opaque{"aten::pad", "", {InputRef{0}, kBelowAndRight, reflect, std::monostate{}}}));
  EXPECT_FALSE(zero_padding(Opaque{"aten::roll", "", {InputRef{0}, kBelowAndRight, 0.0}}));
  EXPECT_FALSE(zero_padding(Relu{}));
}

TEST(ZeroPadding, CountsDimensionsFromTheLast) {
  const Ints right{0, 1, 0, 0};
  EXPECT_TRUE(pads_axis(right, 4, 3));
  EXPECT_FALSE(pads_axis(right, 4, 2));
  EXPECT_FALSE(pads_axis(right, 4, 1));
  EXPECT_TRUE(pads_axis({0, 0, 0, 0, 1, 0}, 4, 1));
}

}  // namespace
}  // namespace ptq::ir
