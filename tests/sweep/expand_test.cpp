#include "sweep/expand.h"

#include <gmock/gmock.h>

#include "ptq/base/error.h"
#include "sweep/sweeps.h"

namespace ptq::sweep {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

std::vector<std::string> values_of(const Expansion& expansion, const char* option) {
  std::vector<std::string> values;
  for (const Configuration& each : expansion.configurations) {
    values.push_back(options::to_text(each.settings.value(option)));
  }
  return values;
}

std::string refusal(const std::string& yaml) {
  const support::TemporaryFolder folder;
  const std::string path = folder.write("sweep.yaml", yaml);
  try {
    expand(read_sweep_file(path), {});
  } catch (const ConfigError& error) {
    const std::string message = error.what();
    const size_t at = message.find(path);
    return at == std::string::npos ? message : message.substr(at + path.size());
  }
  return "nothing was refused";
}

TEST(SweepFile, CombinesListsWithTheLastOptionInnermost) {
  const Expansion expansion = expansion_of(
      "models: [a, b]\noptions: {weight_bit_width: [4, 8], act-quant-type: [sym, asym]}");
  EXPECT_THAT(values_of(expansion, "model-name"),
              ElementsAre("a", "a", "a", "a", "b", "b", "b", "b"));
  EXPECT_THAT(values_of(expansion, "weight-bit-width"),
              ElementsAre("4", "4", "8", "8", "4", "4", "8", "8"));
  EXPECT_THAT(values_of(expansion, "act-quant-type"),
              ElementsAre("sym", "asym", "sym", "asym", "sym", "asym", "sym", "asym"));
  EXPECT_THAT(expansion.swept, ElementsAre("weight-bit-width", "act-quant-type"));
  EXPECT_EQ(expansion.configurations.back().number, 8);
}

TEST(SweepFile, CountsValuesBeforeItLooksAtThem) {
  const auto numbers = [](int count) {
    std::string text = "[0";
    for (int i = 1; i < count; ++i) text += "," + std::to_string(i);
    return text + "]";
  };
  EXPECT_THAT(refusal("models: a\noptions: {seed: " + numbers(100'000) + "}"),
              HasSubstr("'seed': it has 100000 values, more than the 50000 combinations"));
  EXPECT_THAT(refusal("models: a\nexclude: [{seed: " + numbers(2'000) + "}]"),
              HasSubstr("it has 2000 values, more than the 1000 that one sweep may exclude"));
}

TEST(SweepFile, MultipliesBeforeItLists) {
  std::string numbers = "[1";
  for (int i = 2; i <= 1000; ++i) numbers += ", " + std::to_string(i);
  numbers += "]";
  const std::string yaml = "models: a\noptions: {seed: " + numbers +
                           ", calibration-samples: " + numbers +
                           ", batch-size-calibration: " + numbers + "}";
  EXPECT_THAT(refusal(yaml), HasSubstr("1000000000 combinations, more than the 50000"));
}

TEST(SweepFile, IsOneDocument) {
  EXPECT_THAT(refusal("models: a\n---\nmodels: b\n"), HasSubstr("more than one YAML document"));
}

TEST(SweepFile, TellsAModelsNameFromItsFileAndItsOptions) {
  const Expansion expansion = expansion_of(
      "models: [resnet18, nets/small.pt, {model: x.pt, crop: 28, mean: [0.1, 0.2, 0.3]}]\n"
      "options: {crop: 64}");
  EXPECT_THAT(values_of(expansion, "model"), ElementsAre("None", "nets/small.pt", "x.pt"));
  EXPECT_THAT(values_of(expansion, "crop"), ElementsAre("64", "64", "28"));
  EXPECT_THAT(values_of(expansion, "mean"), ElementsAre("None", "None", "0.1 0.2 0.3"));
}

TEST(SweepFile, KnowsNoneAndSwitches) {
  const Expansion expansion =
      expansion_of("models: a\noptions: {bias-bit-width: [None, 32], bias-corr: [on, off]}");
  EXPECT_THAT(values_of(expansion, "bias-bit-width"), ElementsAre("None", "None", "32", "32"));
  EXPECT_THAT(values_of(expansion, "bias-corr"), ElementsAre("on", "off", "on", "off"));
}

TEST(SweepFile, SaysFileAndKeyOfAMistake) {
  EXPECT_THAT(refusal("models: a\noptions: {weight-bits: 4}"),
              StartsWith(": 'options': no option is named 'weight-bits'"));
  EXPECT_THAT(refusal("models: a\noptions: {weight-bit-width: [8, x]}"),
              StartsWith(": 'options': 'weight-bit-width': --weight-bit-width"));
  EXPECT_THAT(refusal("models: a\noptions: {weight-bit-width: [8, 8]}"), HasSubstr("twice"));
  EXPECT_THAT(refusal("models: a\noptions: {weight-bit-width: []}"), HasSubstr("empty list"));
  EXPECT_THAT(refusal("models: a\noptions: {weight-bit-width: {a: 1}}"), HasSubstr("a value"));
  EXPECT_THAT(refusal("models: a\noptions: {report: x.json}"), HasSubstr("cannot be part"));
  EXPECT_THAT(refusal("models: a\noptoins: {}"), StartsWith(": 'optoins': it is none of"));
  EXPECT_THAT(refusal("options: {}"), StartsWith(": 'models' is missing"));
  EXPECT_THAT(refusal("models: {crop: [28, 32]}"), HasSubstr("belong under `options`"));
  EXPECT_THAT(refusal("models: [a"), HasSubstr("is not YAML"));
  EXPECT_THAT(refusal("- a"), HasSubstr("`models:` and `options:` are needed"));
  EXPECT_THAT(refusal("models: a\nexclude: [{because: nothing}]"), HasSubstr("names no option"));
  EXPECT_THROW(read_sweep_file("/nowhere/sweep.yaml"), ConfigError);
}

TEST(Expansion, LeavesOutWhatTheFileExcludesAndSaysWhy) {
  const Expansion expansion = expansion_of(
      "models: a\noptions: {weight-bit-width: [4, 6, 8], act-quant-type: [sym, asym]}\n"
      "exclude:\n  - {weight-bit-width: [4, 6], act-quant-type: asym, because: too coarse}");
  EXPECT_THAT(expansion.configurations, SizeIs(4));
  ASSERT_THAT(expansion.skipped, SizeIs(2));
  EXPECT_EQ(expansion.skipped[0].number, 2);
  EXPECT_EQ(expansion.skipped[0].combination, "weight-bit-width=4 act-quant-type=asym");
  EXPECT_EQ(expansion.skipped[0].reason, "too coarse");
}

TEST(Expansion, SkipsWhatDoesNotGoTogetherWithTheProgramsOwnReason) {
  const Expansion expansion = expansion_of(
      "models: a\n"
      "options: {act-quant-calibration-type: [stats, mse], act-quant-percentile: [99.999, 99.9]}");
  EXPECT_THAT(values_of(expansion, "act-quant-percentile"),
              ElementsAre("99.999", "99.9", "99.999"));
  ASSERT_THAT(expansion.skipped, SizeIs(1));
  EXPECT_THAT(expansion.skipped[0].reason, HasSubstr("--act-quant-percentile 99.9"));
}

TEST(Expansion, TakesTheCommandLineOverTheFile) {
  options::Settings command_line;
  command_line.set(*options::find_option("weight-bit-width"), int64_t{6},
                   options::Source::kCommandLine);
  const Expansion expansion =
      expand(sweep_of("models: a\noptions: {weight-bit-width: [4, 8], act-bit-width: [6, 8]}"),
             command_line);
  EXPECT_THAT(values_of(expansion, "weight-bit-width"), ElementsAre("6", "6"));
  EXPECT_THAT(expansion.swept, ElementsAre("act-bit-width"));
}

TEST(Expansion, RefusesASweepOfNothing) {
  EXPECT_THAT(refusal("models: a\nexclude: {weight-bit-width: 8}"),
              HasSubstr("no valid combination"));
}

TEST(TreeOrder, PutsConfigurationsThatShareAStageTogether) {
  const Expansion expansion = expansion_of(
      "models: a\noptions: {act-quant-percentile: [99.9, 99.999], weight-bit-width: [4, 8],"
      " graph-eq-iterations: [0, 20]}");
  std::vector<std::string> walk;
  for (const size_t i : tree_order(expansion.configurations)) {
    const options::Settings& settings = expansion.configurations[i].settings;
    walk.push_back(options::to_text(settings.value("graph-eq-iterations")) + " " +
                   options::to_text(settings.value("act-quant-percentile")) + " " +
                   options::to_text(settings.value("weight-bit-width")));
  }
  EXPECT_THAT(walk, ElementsAre("0 99.9 4", "0 99.999 4", "0 99.9 8", "0 99.999 8", "20 99.9 4",
                                "20 99.999 4", "20 99.9 8", "20 99.999 8"));
}

TEST(PublishedGrid, Has540ConfigurationsAModel) {
  const Sweep sweep = read_sweep_file(std::string(PTQ_CONFIGS) + "/published_grid.yaml");
  EXPECT_THAT(expand(sweep, {}).configurations, SizeIs(3 * 540));
}

TEST(SmallGrids, Have48Configurations) {
  for (const char* name : {"demo.yaml", "squeezenet1_1.yaml"}) {
    const Sweep sweep = read_sweep_file(std::string(PTQ_CONFIGS) + "/" + name);
    EXPECT_THAT(expand(sweep, {}).configurations, SizeIs(48)) << name;
  }
}

}  // namespace
}  // namespace ptq::sweep
