#include "passes/learned_round/dropping.h"

#include <ATen/Parallel.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "quant/fake_quantize.h"
#include "support/graph_builder.h"

namespace ptq::passes {
namespace {

using testing::normals;

struct Activation {
  testing::GraphBuilder builder;
  ir::QuantizerId id = builder.activation_quantizer(0.1, true, 4);
  at::Tensor x = normals({4, 8, 16, 16}, 0.5F, 5);
  at::Tensor codes = quant::fake_quantize_activation(x, builder.table, id);
};

TEST(Dropping, KeepsTheShareOfFloatValuesAskedFor) {
  const at::Tensor ones = at::ones({1 << 18});
  for (const double probability : {0.0, 0.25, 0.5, 1.0}) {
    const at::Tensor kept = mixed(ones, at::zeros({1 << 18}), {probability, 77});
    EXPECT_NEAR(kept.mean().item<double>(), probability, 0.005);
  }
}

TEST(Dropping, DependsOnTheSeedAndNotOnThreads) {
  const Activation a;
  const auto run = [&](uint32_t seed, int threads) {
    const int before = at::get_num_threads();
    at::set_num_threads(threads);
    const Quantized quantized = quantize_with_dropping(a.x, a.builder.table, a.id, {0.5, seed});
    at::set_num_threads(before);
    return quantized.value;
  };
  EXPECT_TRUE(at::equal(run(1, 1), run(1, 2)));
  EXPECT_FALSE(at::equal(run(1, 1), run(2, 1)));
  EXPECT_NE((Dropping{0.5, 1}.of(1).seed), (Dropping{0.5, 1}.of(2).seed));
}

TEST(Dropping, WithoutAnyIsTheQuantizer) {
  const Activation a;
  EXPECT_TRUE(at::equal(quantize_with_dropping(a.x, a.builder.table, a.id, {}).value, a.codes));
}

TEST(Dropping, OfEachElementGivesItsFloatValueOrItsCode) {
  const Activation a;
  const at::Tensor value = quantize_with_dropping(a.x, a.builder.table, a.id, {0.5, 3}).value;
  EXPECT_TRUE(value.eq(a.x).logical_or(value.eq(a.codes)).all().item<bool>());
  EXPECT_NEAR(value.eq(a.x).to(at::kFloat).mean().item<double>(), 0.5, 0.03);
}

TEST(Dropping, PassesGradientsButWhereCodesClip) {
  const Activation a;
  const at::Tensor gradient = normals({4, 8, 16, 16}, 1, 6);
  const Quantized quantized = quantize_with_dropping(a.x, a.builder.table, a.id, {});
  const at::Tensor back = passed(gradient, quantized.passes);
  // Codes are -8 to 7 tenths.
  const at::Tensor clips = a.x.gt(0.75).logical_or(a.x.lt(-0.85));
  EXPECT_TRUE(back.eq(0).eq(clips).all().item<bool>());
  EXPECT_TRUE(back.eq(gradient).eq(clips.logical_not()).all().item<bool>());
}

/// Codes whose lowest bits are rounded away: 0 to 15, of the same scale again.
TEST(Dropping, PassesGradientsThroughMeansOfCodes) {
  testing::GraphBuilder builder;
  const ir::QuantizerId codes = builder.activation_quantizer(0.1, false, 4);
  quant::Quantizer mean = builder.table.at(codes);
  mean.truncation = quant::Truncation{codes, 4, 2};
  const ir::QuantizerId id = builder.table.add(mean);
  builder.table.derive_scales();
  const at::Tensor x = normals({1000}, 1, 5);
  const Quantized quantized = quantize_with_dropping(x, builder.table, id, {});
  const at::Tensor clips = x.gt(1.55).logical_or(x.lt(-0.05));
  EXPECT_TRUE(quantized.passes.eq(0).eq(clips).all().item<bool>());
}

}  // namespace
}  // namespace ptq::passes
