#include "options/option.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "ptq/base/error.h"

namespace ptq::options {
namespace {

/// The reference's flags and defaults (reference-contract 2.1).
const std::map<std::string, std::string>& reference_flags() {
  static const std::map<std::string, std::string> flags = {
      {"config", "None"},
      {"calibration-dir", "None"},
      {"validation-dir", "None"},
      {"workers", "8"},
      {"batch-size-calibration", "64"},
      {"batch-size-validation", "256"},
      {"export-dir", "."},
      {"gpu", "None"},
      {"calibration-samples", "1000"},
      {"model-name", "resnet18"},
      {"dtype", "float"},
      {"target-backend", "fx"},
      {"scale-factor-type", "float_scale"},
      {"act-bit-width", "8"},
      {"weight-bit-width", "8"},
      {"layerwise-first-last-bit-width", "8"},
      {"bias-bit-width", "32"},
      {"act-quant-type", "sym"},
      {"weight-quant-type", "sym"},
      {"weight-quant-granularity", "per_tensor"},
      {"act-quant-granularity", "per_tensor"},
      {"weight-quant-calibration-type", "stats"},
      {"act-equalization", "None"},
      {"act-quant-calibration-type", "stats"},
      {"act-scale-computation-type", "static"},
      {"graph-eq-iterations", "20"},
      {"learned-round", "None"},
      {"learned-round-block-name", "layer\\d+"},
      {"learned-round-loss", "regularised_mse"},
      {"learned-round-mode", "layerwise"},
      {"learned-round-iters", "1000"},
      {"learned-round-lr-scheduler", "None"},
      {"learned-round-lr", "0.001"},
      {"learned-round-batch-size", "1"},
      {"act-quant-percentile", "99.999"},
      {"export-onnx-qcdq", "off"},
      {"export-torch-qcdq", "off"},
      {"bias-corr", "on"},
      {"graph-eq-merge-bias", "on"},
      {"weight-narrow-range", "off"},
      {"gpfq-p", "1"},
      {"quant-format", "int"},
      {"layerwise-first-last-mantissa-bit-width", "4"},
      {"layerwise-first-last-exponent-bit-width", "3"},
      {"weight-mantissa-bit-width", "4"},
      {"weight-exponent-bit-width", "3"},
      {"act-mantissa-bit-width", "4"},
      {"act-exponent-bit-width", "3"},
      {"gpxq-accumulator-bit-width", "None"},
      {"gpxq-accumulator-tile-size", "None"},
      {"onnx-opset-version", "None"},
      {"channel-splitting-ratio", "0"},
      {"optimizer", "adam"},
      {"gptq", "off"},
      {"gpfq", "off"},
      {"qronos", "off"},
      {"gpxq-act-order", "off"},
      {"gptq-use-quant-activations", "off"},
      {"disable-create-weight-orig", "off"},
      {"calibrate-bn", "off"},
      {"channel-splitting-split-input", "off"},
      {"merge-bn", "on"},
      {"uint-sym-act-for-unsigned-values", "on"},
      {"compile", "off"},
  };
  return flags;
}

const Option& option(std::string_view name) {
  const Option* found = find_option(name);
  if (found == nullptr) throw std::runtime_error("no option " + std::string(name));
  return *found;
}

Value parsed(std::string_view name, const std::string& word) {
  return parse_value(option(name), {word});
}

std::string refusal_of_words(std::string_view name, const std::vector<std::string>& words) {
  try {
    parse_value(option(name), words);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "accepted";
}

std::string refusal(std::string_view name, const std::string& word) {
  return refusal_of_words(name, {word});
}

TEST(OptionTable, HoldsEveryFlagOfTheReferenceWithItsDefault) {
  for (const auto& [name, value] : reference_flags()) {
    const Option* found = find_option(name);
    ASSERT_NE(found, nullptr) << name;
    EXPECT_TRUE(found->in_reference) << name;
    const std::string ours = to_text(default_value(*found));
    EXPECT_EQ(found->reference_default.empty() ? ours : found->reference_default, value) << name;
  }
}

TEST(OptionTable, SaysWhichFlagsTheReferenceDoesNotHave) {
  for (const Option& each : option_table()) {
    EXPECT_EQ(each.in_reference, reference_flags().count(std::string(each.name)) == 1) << each.name;
  }
}

TEST(OptionTable, DiffersFromTheReferenceOnlyInTheseDefaults) {
  std::set<std::string_view> different;
  for (const Option& each : option_table()) {
    if (!each.reference_default.empty()) different.insert(each.name);
  }
  EXPECT_EQ(different, (std::set<std::string_view>{"compile", "relu6"}));
}

TEST(OptionTable, NamesEveryOptionOnceAndAcceptsItsDefault) {
  std::set<std::string_view> names;
  for (const Option& each : option_table()) {
    EXPECT_TRUE(names.insert(each.name).second) << each.name;
    EXPECT_EQ(parse_value(each, {to_text(default_value(each))}), default_value(each)) << each.name;
  }
}

TEST(OptionTable, AcceptsTheOffValuesOfTechniques) {
  EXPECT_EQ(parsed("gptq", "off"), Value(false));
  EXPECT_EQ(parsed("channel-splitting-ratio", "0"), Value(0.0));
}

TEST(ParseValue, RefusesNumbersOutsideTheirRange) {
  EXPECT_EQ(refusal("act-bit-width", "1"), "--act-bit-width must be between 2 and 16, not 1");
  EXPECT_EQ(refusal("act-bit-width", "33"), "--act-bit-width must be between 2 and 16, not 33");
  EXPECT_EQ(refusal("workers", "100000"), "--workers must be between 1 and 1024, not 100000");
  EXPECT_EQ(refusal("weight-bit-width", "0"), "--weight-bit-width must be between 2 and 16, not 0");
  EXPECT_EQ(refusal("weight-bit-width", "1"), "--weight-bit-width must be between 2 and 16, not 1");
  EXPECT_EQ(refusal("weight-bit-width", "33"),
            "--weight-bit-width must be between 2 and 16, not 33");
  EXPECT_EQ(refusal("act-quant-percentile", "0"),
            "--act-quant-percentile must be above 0 and at most 100, not 0");
  EXPECT_EQ(refusal("act-quant-percentile", "101"),
            "--act-quant-percentile must be above 0 and at most 100, not 101");
  EXPECT_EQ(refusal("batch-size-calibration", "0"),
            "--batch-size-calibration must be at least 1, not 0");
  EXPECT_EQ(refusal("batch-size-validation", "-3"),
            "--batch-size-validation must be at least 1, not -3");
  EXPECT_EQ(refusal_of_words("std", {"0.2", "0", "0.2"}), "--std must be above 0, not 0");
}

TEST(ParseValue, AcceptsTheEndsOfRanges) {
  EXPECT_EQ(parsed("act-bit-width", "2"), Value(int64_t{2}));
  EXPECT_EQ(parsed("act-bit-width", "16"), Value(int64_t{16}));
  EXPECT_EQ(parsed("act-quant-percentile", "100"), Value(100.0));
  EXPECT_EQ(parsed("image-memory", "0"), Value(0.0));
}

TEST(ParseValue, RefusesWordsOfAnotherType) {
  EXPECT_EQ(refusal("seed", "many"), "--seed: 'many' is not a whole number");
  EXPECT_EQ(refusal("seed", "1.5"), "--seed: '1.5' is not a whole number");
  EXPECT_EQ(refusal("seed", "99999999999999999999"),
            "--seed: '99999999999999999999' is not a whole number");
  EXPECT_EQ(refusal("act-quant-percentile", "nan"),
            "--act-quant-percentile: 'nan' is not a number");
  EXPECT_EQ(refusal("act-quant-percentile", "1e999"),
            "--act-quant-percentile: '1e999' is not a number");
  EXPECT_EQ(refusal("merge-bn", "1"), "--merge-bn: '1' is neither true nor false");
  EXPECT_EQ(refusal_of_words("mean", {"1", "2"}),
            "--mean takes three numbers: red, green and blue");
  EXPECT_EQ(refusal_of_words("mean", {"1", "2", "x"}), "--mean: 'x' is not a number");
  EXPECT_EQ(refusal("model", ""), "--model must not be empty");
}

TEST(ParseValue, RefusesWordsThatAreNoChoice) {
  EXPECT_EQ(refusal("target-backend", "tensorrt"),
            "--target-backend: 'tensorrt' is none of fx, layerwise, flexml");
  EXPECT_EQ(refusal("bias-bit-width", "8"), "--bias-bit-width: '8' is none of 32, 16, None");
  EXPECT_EQ(refusal("calibration-sampling", "last"),
            "--calibration-sampling: 'last' is none of stratified, first, random");
}

TEST(ParseValue, ReadsNoneOnlyWhereItMeansSomething) {
  EXPECT_EQ(parsed("bias-bit-width", "None"), Value());
  EXPECT_EQ(refusal("weight-bit-width", "None"),
            "--weight-bit-width: 'None' is not a whole number");
}

TEST(ParseValue, ReadsOnAndOffInAnyWords) {
  for (const char* word : {"on", "true", "True", "YES"}) {
    EXPECT_EQ(parsed("merge-bn", word), Value(true)) << word;
  }
  for (const char* word : {"off", "false", "False", "no"}) {
    EXPECT_EQ(parsed("merge-bn", word), Value(false)) << word;
  }
}

TEST(ToText, WritesValuesAsTheyAreTyped) {
  EXPECT_EQ(to_text(Value()), "None");
  EXPECT_EQ(to_text(Value(int64_t{8})), "8");
  EXPECT_EQ(to_text(Value(99.999)), "99.999");
  EXPECT_EQ(to_text(Value(true)), "on");
  EXPECT_EQ(to_text(Value(std::vector<double>{0.5, 0.25, 1})), "0.5 0.25 1");
}

}  // namespace
}  // namespace ptq::options
