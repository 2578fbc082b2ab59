#include "options/combinations/combinations.h"

#include <gmock/gmock.h>

#include <set>

#include "options/combinations/settings_of.h"
#include "options/config/quantize_settings.h"
#include "ptq/base/error.h"
#include "workflow/quantization.h"

namespace ptq::options {
namespace {

using ::testing::HasSubstr;

backends::PlacementOptions placement_of(const Choices& choices) {
  return workflow::placement_options(quantize_config(settings_of(choices)));
}

std::string objection(const Choices& choices) {
  try {
    check_combinations(settings_of(choices));
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(Combinations, SayWhatWasAskedAndWhyItIsRefused) {
  EXPECT_EQ(
      objection({{"quant-format", "float"}, {"weight-quant-type", "asym"}}),
      "--quant-format float with --weight-quant-type asym: minifloats have a sign and no zero "
      "point");
  EXPECT_EQ(objection({{"act-bit-width", "0"}, {"act-quant-type", "asym"}}),
            "--act-quant-type asym with --act-bit-width 0: it would have no effect");
  EXPECT_THAT(objection({{"act-scale-computation-type", "dynamic"}}),
              HasSubstr("add --bias-bit-width None"));
}

TEST(Combinations, FollowFromWhatOptionsNeed) {
  EXPECT_EQ(objection({{"page-images", "3"}}),
            "--page-images 3 with --page None: it would have no effect");
  EXPECT_EQ(objection({{"page-images", "3"}, {"page", "a.html"}}), "");
  EXPECT_EQ(objection({{"junit", "a.xml"}}),
            "--junit a.xml with --baseline None and --no-strict: there is no verdict to write "
            "without --baseline or --strict");
  EXPECT_EQ(objection({{"junit", "a.xml"}, {"strict", "on"}}), "");
  EXPECT_EQ(objection({{"channel-splitting-split-input", "on"}}),
            "--channel-splitting-split-input with --channel-splitting-ratio 0: it would have no "
            "effect");
  EXPECT_EQ(objection({{"group-size", "16"}}),
            "--group-size 16 with --weight-quant-granularity per_tensor and "
            "--act-quant-granularity per_tensor: it would have no effect");
}

TEST(Combinations, RefuseAGuardOfLayersThatAreNotJudged) {
  const std::string reason = "layers of which GPFQ sees a part of the inputs are not judged";
  const Choices guarded = {{"gpfq", "on"}, {"gpfq-p", "0.5"}, {"gpxq-held-out", "0.1"}};
  EXPECT_THAT(objection(guarded), HasSubstr(reason));
  EXPECT_EQ(objection({guarded[0], guarded[1]}), "");
  EXPECT_EQ(objection({guarded[0], guarded[1], guarded[2], {"gptq", "on"}}), "");
}

TEST(Combinations, AllowTheDefaultsAndWhatTheReferenceServes) {
  EXPECT_EQ(objection({}), "");
  EXPECT_EQ(objection({{"quant-format", "float_ocp"},
                       {"weight-exponent-bit-width", "5"},
                       {"weight-mantissa-bit-width", "2"},
                       {"bias-bit-width", "None"}}),
            "");
  EXPECT_EQ(objection({{"target-backend", "layerwise"},
                       {"quant-format", "float_ocp"},
                       {"scale-factor-type", "po2_scale"},
                       {"weight-quant-granularity", "per_group"},
                       {"act-quant-granularity", "per_group"},
                       {"act-scale-computation-type", "dynamic"},
                       {"bias-bit-width", "None"}}),
            "");
  EXPECT_EQ(objection({{"act-bit-width", "0"}}), "");
}

TEST(Combinations, ReleaseResidualAddsOnlyWhereTheyAreQuantized) {
  EXPECT_EQ(objection({{"residual-adds", "wide"}}), "");
  EXPECT_THAT(objection({{"residual-adds", "float"}, {"target-backend", "layerwise"}}),
              HasSubstr("layerwise leaves residual adds in float"));
  EXPECT_THAT(objection({{"residual-adds", "float"}, {"act-bit-width", "0"}}),
              HasSubstr("no effect"));
  EXPECT_THAT(
      objection({{"residual-adds", "wide"}, {"quant-format", "float"}, {"bias-bit-width", "None"}}),
      HasSubstr("use --residual-adds float"));
}

TEST(Combinations, AttributeAgainstTheFloatNetwork) {
  EXPECT_THAT(objection({{"attribute", "on"}, {"skip-float", "on"}}),
              HasSubstr("against the float network"));
}

TEST(Combinations, RefuseRoundingOptionsThatCannotBeHonoured) {
  const Choices bounded = {{"gpxq-accumulator-bit-width", "16"},
                           {"weight-quant-granularity", "per_channel"}};
  const auto with = [&](const Choices& more) {
    Choices all = bounded;
    all.insert(all.end(), more.begin(), more.end());
    return objection(all);
  };
  EXPECT_EQ(with({{"gpfq", "on"}}), "");
  EXPECT_EQ(with({{"gptq", "on"}, {"gptq-use-quant-activations", "on"}}), "");
  EXPECT_THAT(with({{"gptq", "on"}}), HasSubstr("add --gptq-use-quant-activations"));
  EXPECT_THAT(with({}), HasSubstr("it would have no effect"));
  EXPECT_THAT(with({{"gpfq", "on"}, {"qronos", "on"}}),
              HasSubstr("Qronos does not support accumulator bounds"));
  EXPECT_THAT(objection({{"gpfq", "on"}, {"gpxq-accumulator-bit-width", "16"}}),
              HasSubstr("add --weight-quant-granularity per_channel"));
  for (const char* option :
       {"gpxq-act-order", "gptq-use-quant-activations", "disable-create-weight-orig"}) {
    EXPECT_THAT(objection({{option, "on"}}), HasSubstr("it would have no effect")) << option;
  }
  EXPECT_THAT(objection({{"gpfq-p", "0.5"}, {"gptq", "on"}}), HasSubstr("it would have no effect"));
  EXPECT_THAT(objection({{"gptq", "on"}, {"dtype", "bfloat16"}, {"compile", "off"}}),
              HasSubstr("float32"));
}

TEST(Combinations, SayWhatLearnedRoundingNeeds) {
  EXPECT_EQ(objection({{"optimizer", "sign_sgd"}}),
            "--optimizer sign_sgd with --learned-round None: it would have no effect without "
            "--learned-round");
  EXPECT_EQ(
      objection({{"learned-round", "linear_round"}, {"drop-activations", "0.5"}}),
      "--drop-activations 0.5 with --learned-round-mode layerwise: a single layer contains no "
      "activations: add --learned-round-mode blockwise");
  EXPECT_THAT(objection({{"learned-round", "linear_round"}, {"learned-round-damping", "0.1"}}),
              HasSubstr("add --learned-round-batch-size None"));
  EXPECT_EQ(objection({{"learned-round", "linear_round"},
                       {"learned-round-mode", "blockwise"},
                       {"drop-activations", "0.5"},
                       {"learned-round-batch-size", "None"}}),
            "");
}

TEST(Combinations, LearnActivationScalesOnlyWhereThereAreSome) {
  const auto with = [](const Choices& more) {
    Choices all = {{"learned-round", "hard_sigmoid_round"}, {"learned-round-act-lr", "0.01"}};
    all.insert(all.end(), more.begin(), more.end());
    return objection(all);
  };
  EXPECT_THAT(with({}), HasSubstr("add --learned-round-mode blockwise"));
  EXPECT_EQ(with({{"learned-round-mode", "blockwise"}}), "");
  EXPECT_THAT(with({{"learned-round-mode", "blockwise"}, {"act-bit-width", "0"}}),
              HasSubstr("no effect"));
  EXPECT_THAT(with({{"learned-round-mode", "blockwise"}, {"scale-factor-type", "po2_scale"}}),
              HasSubstr("powers of two"));
}

TEST(Combinations, TakePresetsWhereverBlocksAreLearned) {
  EXPECT_EQ(objection({{"learned-round-preset", "fast"}}), "");
  EXPECT_EQ(objection({{"learned-round-preset", "fast"}, {"act-bit-width", "0"}}), "");
  EXPECT_THAT(objection({{"learned-round-preset", "fast"}, {"learned-round-mode", "layerwise"}}),
              HasSubstr("those of blocks"));
  EXPECT_THAT(objection({{"learned-round-preset", "fast"}, {"learned-round", "None"}}),
              HasSubstr("no effect"));
  EXPECT_THAT(objection({{"learned-round-preset", "fast"}, {"gptq", "on"}}),
              HasSubstr("both would round"));
}

TEST(Combinations, WantMinifloatBitsToAddUp) {
  EXPECT_EQ(objection({{"quant-format", "float"},
                       {"bias-bit-width", "None"},
                       {"weight-mantissa-bit-width", "3"}}),
            "--weight-bit-width 8 is not the sign, --weight-exponent-bit-width 3 and "
            "--weight-mantissa-bit-width 3 together");
  EXPECT_EQ(
      objection(
          {{"quant-format", "float"}, {"bias-bit-width", "None"}, {"weight-bit-width", "16"}}),
      "--weight-bit-width must be between 3 and 8 for float formats, not 16");
}

/// A rule that no settings reach, or that an earlier one hides, is a mistake in the table.
TEST(Combinations, HaveNoRuleThatCannotApply) {
  for (const Rule& rule : combination_rules()) {
    Settings settings;
    for (const Condition& condition : rule.conditions) {
      const Option& option = *find_option(condition.option);
      ASSERT_NE(&option, nullptr) << condition.option;
      for (const std::string_view value : condition.values) {
        EXPECT_NO_THROW(parse_value(option, {std::string(value)})) << condition.option;
      }
    }
  }
}

/// The part of the page about one option.
std::string section_of(std::string_view option) {
  const std::string page = combinations_page();
  const size_t begin = page.find("\n## --" + std::string(option) + "\n");
  if (begin == std::string::npos) return "";
  const size_t end = page.find("\n## ", begin + 1);
  return page.substr(begin, end == std::string::npos ? end : end - begin);
}

TEST(Combinations, StandOnThePageUnderEveryOptionOfARule) {
  for (const Rule& rule : combination_rules()) {
    const std::string_view blamed = rule.conditions.front().option;
    EXPECT_THAT(section_of(blamed), HasSubstr("| " + std::string(rule.reason) + " |")) << blamed;
    for (size_t i = 1; i < rule.conditions.size(); ++i) {
      const std::string_view other = rule.conditions[i].option;
      EXPECT_THAT(section_of(blamed), HasSubstr("`--" + std::string(other) + "` is ")) << blamed;
      EXPECT_THAT(section_of(other), HasSubstr("`--" + std::string(blamed) + "`")) << other;
    }
  }
}

TEST(Combinations, AreOneRowWhereTheySayTheSame) {
  EXPECT_THAT(section_of("learned-round"),
              HasSubstr("| not `None` | `--gptq` is `on`, `--gpfq` is `on` or `--qronos` is `on` | "
                        "both would round the same weights |"));
  EXPECT_THAT(section_of("act-quant-percentile"), HasSubstr("| not `99.999` | "));
}

/// The defaults of the table are those of the library.
TEST(QuantizeConfig, HasTheDefaultsOfTheTable) {
  const QuantizeConfig of_table = quantize_config(Settings());
  const QuantizeConfig of_library;
  EXPECT_EQ(workflow::calibrated_key({}, of_table), workflow::calibrated_key({}, of_library));
  const WeightConfig &weights = of_table.weights, &defaults = of_library.weights;
  EXPECT_EQ(weights.bit_width, defaults.bit_width);
  EXPECT_EQ(weights.mantissa_bit_width, defaults.mantissa_bit_width);
  EXPECT_EQ(weights.exponent_bit_width, defaults.exponent_bit_width);
  EXPECT_EQ(weights.symmetry, defaults.symmetry);
  EXPECT_EQ(weights.granularity, defaults.granularity);
  EXPECT_EQ(weights.calibration, defaults.calibration);
  EXPECT_EQ(weights.narrow_range, defaults.narrow_range);
  EXPECT_EQ(of_table.bias_bit_width, of_library.bias_bit_width);
  EXPECT_EQ(of_table.correct_biases, of_library.correct_biases);
  EXPECT_TRUE(of_table.rounding.is_none());
  EXPECT_FALSE(of_table.learned_round.has_value());
}

/// Every word of every option whose words stand for something.
TEST(QuantizeConfig, KnowsEveryWord) {
  int words = 0;
  for (const Option& option : option_table()) {
    EXPECT_TRUE(option.meanings.empty() || option.meanings.size() == option.choices.size());
    const bool is_word = option.type == ValueType::kText && !option.choices.empty();
    EXPECT_EQ(is_word, !option.meanings.empty()) << option.name;
    words += static_cast<int>(option.meanings.size());
  }
  EXPECT_GT(words, 30);
}

TEST(LayerBits, AreReadPerLayer) {
  const auto options = placement_of({{"layer-bits", "^features\\.0=W4,A6"}});
  ASSERT_EQ(options.overrides.size(), 1U);
  EXPECT_EQ(options.overrides[0].pattern, "^features\\.0");
  EXPECT_EQ(options.overrides[0].weight_bit_width, 4);
  EXPECT_EQ(options.overrides[0].act_bit_width, 6);
  const auto weights_alone = placement_of({{"layer-bits", "a=b=W3"}});
  EXPECT_EQ(weights_alone.overrides[0].pattern, "a=b");
  EXPECT_EQ(weights_alone.overrides[0].act_bit_width, std::nullopt);
}

TEST(LayerBits, AreRefusedWhenMalformed) {
  for (const char* word : {"conv", "=W4", "conv=", "conv=W", "conv=W1", "conv=W17", "conv=W4,W5",
                           "conv=B4", "conv=W4,", "conv=4", "conv=W4.5"}) {
    try {
      placement_of({{"layer-bits", word}});
      ADD_FAILURE() << word;
    } catch (const ConfigError& error) {
      EXPECT_THAT(error.what(), HasSubstr("--layer-bits '" + std::string(word) + "' must be"));
    }
  }
}

TEST(PlacementOptions, FollowTheFlags) {
  const auto options = placement_of({{"weight-bit-width", "4"},
                                     {"weight-narrow-range", "on"},
                                     {"weight-quant-granularity", "per_channel"},
                                     {"weight-quant-calibration-type", "mse"},
                                     {"act-quant-type", "asym"},
                                     {"bias-bit-width", "16"}});
  EXPECT_EQ(std::get<quant::IntegerFormat>(options.weights.format),
            (quant::IntegerFormat{4, true, true}));
  EXPECT_EQ(options.weights.granularity, quant::Granularity::kPerChannel);
  EXPECT_EQ(options.weights.calibration, quant::Calibration::kMse);
  EXPECT_EQ(options.activations->symmetry, quant::Symmetry::kAsymmetric);
  EXPECT_EQ(options.bias_bit_width, 16);
}

TEST(PlacementOptions, LeaveActivationsAndBiasesOutWithoutActivationBits) {
  for (const char* word : {"0", "None"}) {
    const auto options = placement_of({{"act-bit-width", word}});
    EXPECT_FALSE(options.activations.has_value());
    EXPECT_FALSE(options.bias_bit_width.has_value());
  }
}

}  // namespace
}  // namespace ptq::options
