// Which parts of a configuration which stage depends on.
#include <gtest/gtest.h>

#include "workflow/quantization.h"

namespace ptq::workflow {
namespace {

const Source kSource{"network", "images"};

QuantizeConfig with(void (*change)(QuantizeConfig& config)) {
  QuantizeConfig config;
  change(config);
  return config;
}

using KeyOf = std::string (*)(const Source&, const QuantizeConfig&);

bool shares(KeyOf key, const QuantizeConfig& other) {
  return key(kSource, QuantizeConfig{}) == key(kSource, other);
}

TEST(Keys, TellPreparationsApart) {
  for (const auto change : {+[](QuantizeConfig& c) { c.equalization.iterations = 1; },
                            +[](QuantizeConfig& c) { c.equalization.merge_bias = false; },
                            +[](QuantizeConfig& c) { c.splitting.ratio = 0.1; },
                            +[](QuantizeConfig& c) { c.splitting.side = passes::Side::kInput; },
                            +[](QuantizeConfig& c) { c.backend = Backend::kFlexml; },
                            +[](QuantizeConfig& c) { c.merge_batch_norms = false; },
                            +[](QuantizeConfig& c) { c.calibrate_batch_norms = true; }}) {
    const QuantizeConfig other = with(change);
    EXPECT_FALSE(shares(prepared_key, other));
    EXPECT_FALSE(shares(equalized_key, other));
    EXPECT_FALSE(shares(calibrated_key, other));
  }
}

/// Equalization ends at clamps where weights have a scale per channel.
TEST(Keys, TellPreparationsOfClampsApartByGranularity) {
  const auto other =
      with([](QuantizeConfig& c) { c.weights.granularity = quant::Granularity::kPerChannel; });
  EXPECT_FALSE(shares(prepared_key, other));
  const Source without{"network", "images", false};
  EXPECT_EQ(prepared_key(without, {}), prepared_key(without, other));
  EXPECT_EQ(calibrated_key(without, {}), calibrated_key(without, other));
}

TEST(Keys, TellEqualizationsOfActivationsApart) {
  const auto other =
      with([](QuantizeConfig& c) { c.activation_equalization = ActivationEqualization{}; });
  EXPECT_TRUE(shares(prepared_key, other));
  EXPECT_FALSE(shares(equalized_key, other));
  const auto alpha = with([](QuantizeConfig& c) {
    c.activation_equalization = ActivationEqualization{};
    c.activation_equalization->alpha = 0.25;
  });
  EXPECT_NE(equalized_key(kSource, other), equalized_key(kSource, alpha));
}

TEST(Keys, TellCalibrationsApart) {
  for (const auto change :
       {+[](QuantizeConfig& c) { c.activations->bit_width = 6; },
        +[](QuantizeConfig& c) { c.activations->percentile = 99.9; },
        +[](QuantizeConfig& c) { c.activations->symmetry = Symmetry::kAsymmetric; },
        +[](QuantizeConfig& c) { c.activations->unsigned_values = false; },
        +[](QuantizeConfig& c) { c.activations.reset(); },
        +[](QuantizeConfig& c) { c.scale_type = ScaleType::kPowerOfTwo; },
        +[](QuantizeConfig& c) { c.numbers = NumberKind::kMinifloat; },
        +[](QuantizeConfig& c) { c.residual_adds = ResidualAdds::kWide; },
        +[](QuantizeConfig& c) {
          c.layer_bits.push_back({"conv", {}, 4});
        },
        +[](QuantizeConfig& c) { c.first_last.bit_width = 4; },
        +[](QuantizeConfig& c) { c.quantizers_file = "quantizers.json"; },
        +[](QuantizeConfig& c) { c.seed = 7; }}) {
    const QuantizeConfig other = with(change);
    EXPECT_TRUE(shares(equalized_key, other));
    EXPECT_FALSE(shares(calibrated_key, other));
  }
}

/// Calibration runs in float.
TEST(Keys, DoNotSeeWeightsAndWhatComesLater) {
  for (const auto change : {+[](QuantizeConfig& c) { c.weights.bit_width = 4; },
                            +[](QuantizeConfig& c) { c.bias_bit_width.reset(); },
                            +[](QuantizeConfig& c) { c.rounding = Gptq{}; },
                            +[](QuantizeConfig& c) { c.augmentation.views = 4; },
                            +[](QuantizeConfig& c) {
                              c.layer_bits.push_back({"conv", 4, {}});
                            },
                            +[](QuantizeConfig& c) { c.correct_biases = false; }}) {
    EXPECT_TRUE(shares(calibrated_key, with(change)));
  }
}

TEST(Keys, TellSourcesApart) {
  const QuantizeConfig config;
  EXPECT_NE(prepared_key({"a", "images"}, config), prepared_key({"b", "images"}, config));
  EXPECT_EQ(prepared_key({"a", "images"}, config), prepared_key({"a", "others"}, config));
  EXPECT_NE(equalized_key({"a", "images"}, config), equalized_key({"a", "others"}, config));
}

}  // namespace
}  // namespace ptq::workflow
