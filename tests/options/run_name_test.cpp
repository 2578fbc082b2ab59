#include "options/run_name.h"

#include <gmock/gmock.h>

#include <set>

#include "options/combinations/settings_of.h"
#include "options/config/quantize_settings.h"

namespace ptq::options {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string name_of(const Choices& choices, const std::string& calibration_dir = "cal") {
  const Settings settings = settings_of(choices);
  Config config;
  config.model_name = settings.text("model-name");
  config.model_file = "model.pt";
  config.calibration_dir = calibration_dir;
  config.validation_dir = "val";
  config.quantize = quantize_config(settings);
  return run_name(settings, config);
}

TEST(RunName, BeginsAsTheReferences) {
  EXPECT_THAT(name_of({}),
              StartsWith("resnet18_fx_int_float_scale_a8w8_32bias_per_tensor_sym_bc_20geiters_mb_"
                         "99.999stats_stats_"));
  EXPECT_THAT(name_of({{"act-bit-width", "0"}}), HasSubstr("_aNonew8_"));
}

/// One other value for every option that can change a result.
TEST(RunName, DiffersWhereverAResultMay) {
  const std::vector<Choices> runs = {
      {},
      {{"model-name", "resnet50"}},
      {{"target-backend", "layerwise"}},
      {{"weight-quant-type", "asym"}},
      {{"act-quant-type", "asym"}},
      {{"weight-quant-granularity", "per_channel"}},
      {{"weight-quant-calibration-type", "mse"}},
      {{"act-quant-calibration-type", "mse"}},
      {{"act-quant-percentile", "99.9"}},
      {{"calibration-samples", "100"}},
      {{"calibration-sampling", "first"}},
      {{"batch-size-calibration", "50"}},
      {{"merge-bn", "off"}},
      {{"residual-adds", "wide"}},
      {{"residual-adds", "float"}},
      {{"uint-sym-act-for-unsigned-values", "off"}},
      {{"seed", "7"}},
      {{"layer-bits", "a=W4"}},
      {{"layer-bits", "b=W4"}},
      {{"layer-bits", "a.*=W4"}},
      {{"layer-bits", "a.+=W4"}},
      {{"interpolation", "bicubic"}},
      {{"resize", "232"}},
      {{"compile", "off"}},
      {{"arithmetic", "float"}},
      {{"load-quantizers", "a.json"}},
      {{"load-quantizers", "b.json"}},
      {{"dtype", "bfloat16"}, {"compile", "off"}},
      {{"bias-bit-width", "16"}},
      {{"bias-bit-width", "None"}},
      {{"bias-bit-width", "None"}, {"quant-format", "float"}},
      {{"bias-bit-width", "None"}, {"quant-format", "float_ocp"}},
      {{"bias-bit-width", "None"}, {"weight-quant-granularity", "per_group"}},
      {{"bias-bit-width", "None"},
       {"weight-quant-granularity", "per_group"},
       {"group-size", "16"}}};
  std::set<std::string> names{name_of({}, "other")};
  for (const Choices& run : runs) EXPECT_TRUE(names.insert(name_of(run)).second) << name_of(run);
}

TEST(RunName, IsTheSameWhereOnlySpeedChanges) {
  EXPECT_EQ(name_of({{"threads", "1"}, {"workers", "3"}, {"batch-size-validation", "7"}}),
            name_of({}));
  EXPECT_EQ(name_of({{"attribute", "on"}, {"node-sqnr", "4"}, {"explain", "on"}}), name_of({}));
}

TEST(RunName, FitsAFileNameHoweverLongTheOptions) {
  const std::string name = name_of({{"layer-bits", std::string(300, '*') + "/x=W4"}});
  EXPECT_LE(name.size(), 200U);
  for (const char c : name) {
    EXPECT_TRUE(std::isalnum(static_cast<unsigned char>(c)) ||
                std::string("._=-").find(c) != std::string::npos)
        << c;
  }
}

}  // namespace
}  // namespace ptq::options
