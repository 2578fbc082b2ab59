#include "ir/clamp.h"

#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>

namespace ptq::ir {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

/// Single numbers, kNone where there is no bound.
std::pair<double, double> numbers(const Op& op) {
  const std::optional<ClampBounds> bounds = clamp_bounds(op);
  if (!bounds) throw std::invalid_argument("no clamp");
  const auto number = [](const at::Tensor& bound) {
    return bound.defined() ? bound.item<double>() : kNone;
  };
  return {number(bounds->lowest), number(bounds->highest)};
}

Opaque call(const std::string& schema, std::vector<Argument> bounds) {
  bounds.insert(bounds.begin(), InputRef{0});
  return Opaque{schema, "", std::move(bounds), 0};
}

TEST(ClampBounds, AreThoseOfEveryClamp) {
  EXPECT_EQ(numbers(Relu6{}), std::pair(0.0, 6.0));
  EXPECT_EQ(numbers(Relu6{{}, Parameter{"ceiling", at::tensor({2.0F})}}), std::pair(0.0, 2.0));
  EXPECT_EQ(numbers(call("aten::hardtanh", {-0.5, Dim{2, false}})), std::pair(-0.5, 2.0));
  const std::monostate none;
  const auto [lowest, highest] = numbers(call("aten::clamp", {none, 3.0}));
  EXPECT_TRUE(std::isnan(lowest));
  EXPECT_EQ(highest, 3);
  EXPECT_EQ(numbers(call("aten::clamp_min", {0.25})).first, 0.25);
  EXPECT_TRUE(std::isnan(numbers(call("aten::clamp_min", {0.25})).second));
  EXPECT_TRUE(std::isnan(numbers(call("aten::clamp_max", {0.25})).first));
  EXPECT_EQ(numbers(call("aten::clamp_max", {0.25})).second, 0.25);
}

TEST(ClampBounds, AreNothingOfWhatIsNoClamp) {
  EXPECT_FALSE(clamp_bounds(Relu{}));
  EXPECT_FALSE(clamp_bounds(Hardswish{}));
  EXPECT_FALSE(clamp_bounds(call("aten::tanh", {})));
  EXPECT_FALSE(clamp_bounds(call("aten::roll", {1.0, 2.0})));
}

TEST(ClampBounds, AreNothingWhereTheyDependOnImages) {
  EXPECT_FALSE(clamp_bounds(call("aten::clamp", {InputRef{1}, 2.0})));
  EXPECT_FALSE(clamp_bounds(call("aten::clamp", {0.5, Dim{1, true}})));
}

TEST(ClampTo, ClampsToTheBounds) {
  const at::Tensor low = at::tensor({-1.0F, -2.0F}), high = at::tensor({1.0F, 3.0F});
  for (const ClampBounds& bounds :
       {ClampBounds{low, high}, ClampBounds{low, {}}, ClampBounds{{}, high}}) {
    const ClampBounds read = *clamp_bounds(clamp_to(bounds, "clamp"));
    EXPECT_EQ(read.lowest.defined(), bounds.lowest.defined());
    EXPECT_EQ(read.highest.defined(), bounds.highest.defined());
    EXPECT_TRUE(!read.lowest.defined() || read.lowest.equal(bounds.lowest));
    EXPECT_TRUE(!read.highest.defined() || read.highest.equal(bounds.highest));
  }
  const Op relu6 = clamp_to({at::tensor({0.0F, 0.0F}), high}, "clamp");
  ASSERT_TRUE(std::holds_alternative<Relu6>(relu6));
  EXPECT_TRUE(std::get<Relu6>(relu6).ceiling->value.equal(high));
}

}  // namespace
}  // namespace ptq::ir
