#include <gtest/gtest.h>

#include <string>

#include "ptq/base/invalid_option.h"
#include "ptq/quantize_config.h"

namespace ptq {
namespace {

/// The field that is refused; empty for a good configuration.
std::string refused(void (*change)(QuantizeConfig& config)) {
  QuantizeConfig config;
  change(config);
  try {
    check(config);
  } catch (const InvalidOption& error) {
    EXPECT_FALSE(error.reason.empty());
    EXPECT_EQ(error.what(), error.field + ": " + error.reason);
    return error.field;
  }
  return "";
}

TEST(CheckConfig, TakesTheDefaults) {
  EXPECT_EQ(refused([](QuantizeConfig&) {}), "");
}

TEST(CheckConfig, RefusesNumbersOutOfRange) {
  EXPECT_EQ(refused([](QuantizeConfig& c) { c.weights.bit_width = 1; }), "weights.bit_width");
  EXPECT_EQ(refused([](QuantizeConfig& c) { c.activations->bit_width = 17; }),
            "activations.bit_width");
  EXPECT_EQ(refused([](QuantizeConfig& c) { c.activations->percentile = 0; }),
            "activations.percentile");
  EXPECT_EQ(refused([](QuantizeConfig& c) { c.bias_bit_width = 8; }), "bias_bit_width");
  EXPECT_EQ(refused([](QuantizeConfig& c) { c.equalization.iterations = -1; }),
            "equalization.iterations");
  EXPECT_EQ(refused([](QuantizeConfig& c) {
              c.rounding = Gpfq{false, 0, {}};
            }),
            "rounding.input_fraction");
}

TEST(CheckConfig, RefusesWhatDoesNotGoTogether) {
  EXPECT_EQ(refused([](QuantizeConfig& c) {
              c.numbers = NumberKind::kMinifloat;
              c.weights.symmetry = Symmetry::kAsymmetric;
            }),
            "weights.symmetry");
  EXPECT_EQ(refused([](QuantizeConfig& c) { c.activations->timing = Timing::kDynamic; }),
            "bias_bit_width");
  EXPECT_EQ(refused([](QuantizeConfig& c) { c.activations->granularity = Granularity::kPerGroup; }),
            "activations.granularity");
  EXPECT_EQ(refused([](QuantizeConfig& c) {
              Gptq gptq;
              gptq.accumulator = AccumulatorOptions{16, {}};
              c.rounding = gptq;
            }),
            "rounding.accumulator");
  EXPECT_EQ(refused([](QuantizeConfig& c) {
              c.rounding = Gptq{};
              c.learned_round = LearnedRound{};
            }),
            "learned_round");
  EXPECT_EQ(refused([](QuantizeConfig& c) {
              c.learned_round = LearnedRound{};
              c.learned_round->activation_learning_rate = 1e-3;
            }),
            "learned_round.activation_learning_rate");
  EXPECT_EQ(refused([](QuantizeConfig& c) {
              c.learned_round = LearnedRound{};
              c.learned_round->scope = passes::RoundingScope::kBlock;
              c.learned_round->activation_learning_rate = -1e-3;
            }),
            "learned_round.activation_learning_rate");
  for (const auto change : {+[](QuantizeConfig& c) { c.scale_type = ScaleType::kPowerOfTwo; },
                            +[](QuantizeConfig& c) {
                              c.activations->timing = Timing::kDynamic;
                              c.bias_bit_width.reset();
                            }}) {
    QuantizeConfig config;
    config.learned_round = LearnedRound{};
    config.learned_round->scope = passes::RoundingScope::kBlock;
    change(config);
    check(config);
    config.learned_round->activation_learning_rate = 1e-3;
    EXPECT_THROW(check(config), InvalidOption);
  }
  EXPECT_EQ(refused([](QuantizeConfig& c) { c.augmentation.views = 1; }), "augmentation.views");
  EXPECT_EQ(refused([](QuantizeConfig& c) {
              c.learned_round = LearnedRound{};
              c.augmentation.views = -1;
            }),
            "augmentation.views");
}

TEST(NeedsImages, UnlessWeightsAloneAreQuantized) {
  QuantizeConfig config;
  EXPECT_TRUE(needs_images(config));
  config.activations.reset();
  EXPECT_TRUE(needs_images(config));  // bias correction
  config.correct_biases = false;
  EXPECT_FALSE(needs_images(config));
  config.rounding = Qronos{};
  EXPECT_TRUE(needs_images(config));
}

}  // namespace
}  // namespace ptq
