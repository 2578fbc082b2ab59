// A technique that learns its images by heart is not used; images kept aside tell.
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "ptq/passes/round_weights.h"
#include "rounding_network.h"

namespace ptq::passes {
namespace {

using ptq::testing::normals;
using testing::batches_of;
using testing::RoundingNetwork;

/// One linear layer that reads so many values: one column an image.
struct Head : RoundingNetwork {
  explicit Head(int64_t values, double step) : RoundingNetwork({1, 1, values}) {
    const auto x = builder.fake_quantize(builder.flatten(builder.input()), step);
    finish(quantize(builder.linear(x, 20), testing::weight_quantizer(4)));
  }
  at::Tensor weight() { return ir::weighted(layer("linear").op)->weight.value; }
};

/// The report, and whether codes other than the nearest came out.
struct Outcome {
  RoundedLayer report;
  at::Tensor weight;
};

/// Inputs have a part of that size in common: then one weight can make up for another.
Outcome round(int64_t values, float common, double step, int64_t images,
              RoundingTechnique technique, double held_out) {
  Head head(values, step);
  RoundingOptions options;
  options.technique = technique;
  options.held_out = held_out;
  auto reports = round_weights(
      head, options, {},
      batches_of(
          {normals({images, 1, 1, values}, 1, 7).add(normals({images, 1, 1, 1}, common, 8))}));
  return {reports.at(0), head.weight()};
}

/// 40 columns for 40 values that are quantized coarsely: what fits them fits no other.
TEST(HeldOut, KeepsTheNearestCodesWhereATechniqueOverfits) {
  for (const auto technique : {RoundingTechnique::kQronos, RoundingTechnique::kGpfq}) {
    const Outcome guarded = round(40, 0, 1.5, 40, technique, 0.2);
    const Outcome free = round(40, 0, 1.5, 40, technique, 0);
    EXPECT_EQ(guarded.report.left, "worse than the nearest codes on images kept aside");
    EXPECT_EQ(guarded.report.error_after, guarded.report.error_before);
    EXPECT_TRUE(free.report.left.empty());
    Head head(40, 1.5);
    EXPECT_TRUE(at::equal(guarded.weight, head.rounded("linear")));
    EXPECT_FALSE(at::equal(free.weight, guarded.weight));
  }
}

/// Where it helps, the layer is rounded with all images, as without the guard.
TEST(HeldOut, ChangesNothingWhereATechniqueHelps) {
  for (const auto technique :
       {RoundingTechnique::kGptq, RoundingTechnique::kGpfq, RoundingTechnique::kQronos}) {
    const Outcome guarded = round(16, 2, 0.05, 400, technique, 0.2);
    const Outcome free = round(16, 2, 0.05, 400, technique, 0);
    EXPECT_TRUE(guarded.report.left.empty()) << guarded.report.left;
    EXPECT_TRUE(at::equal(guarded.weight, free.weight));
    EXPECT_LT(guarded.report.error_after, guarded.report.error_before);
  }
}

TEST(HeldOut, NeedsMoreImagesThanItKeepsAside) {
  const Outcome guarded = round(40, 0, 1.5, 8, RoundingTechnique::kQronos, 0.2);
  EXPECT_NE(guarded.report.left, "worse than the nearest codes on images kept aside");
}

}  // namespace
}  // namespace ptq::passes
