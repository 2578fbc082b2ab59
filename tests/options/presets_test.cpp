#include "options/presets.h"

#include <gtest/gtest.h>

#include <set>

#include "options/combinations/settings_of.h"
#include "options/config/quantize_settings.h"
#include "options/settings_json.h"

namespace ptq::options {
namespace {

const Option& preset_option() { return *find_option("learned-round-preset"); }

TEST(Presets, NameOptionsAndValuesOfTheTableAndEachTheSameOptions) {
  const std::vector<std::string_view> names = options_of_presets(preset_option());
  for (const std::string_view word : preset_option().choices) {
    std::set<std::string_view> own;
    for (const auto& [name, value] : preset(preset_option(), std::string(word))) {
      ASSERT_NE(find_option(name), nullptr) << name;
      EXPECT_NO_THROW(parse_value(*find_option(name), {std::string(value)})) << name;
      own.insert(name);
    }
    EXPECT_EQ(own, std::set<std::string_view>(names.begin(), names.end())) << word;
  }
}

TEST(Presets, SetBlocksThatLearnAndAreNotSaidToBeGiven) {
  const Settings settings = settings_of({{"learned-round-preset", "fast"}});
  EXPECT_FALSE(settings.given("learned-round"));
  EXPECT_EQ(command_of(settings), "ptq_imagenet_val --learned-round-preset fast");
  const auto config = quantize_config(settings);
  ASSERT_TRUE(config.learned_round);
  EXPECT_EQ(config.learned_round->scope, passes::RoundingScope::kBlock);
  EXPECT_EQ(config.learned_round->batch_size, 8);
  EXPECT_GT(config.learned_round->activation_learning_rate, 0);
  EXPECT_FALSE(config.correct_biases);
}

TEST(Presets, GiveWayToOptionsThatAreGivenBeforeOrAfter) {
  for (const Choices& choices :
       {Choices{{"learned-round-preset", "paper"}, {"learned-round-iters", "7"}},
        Choices{{"learned-round-iters", "7"}, {"learned-round-preset", "paper"}}}) {
    const Settings settings = settings_of(choices);
    EXPECT_EQ(settings.integer("learned-round-iters"), 7);
    EXPECT_EQ(settings.integer("learned-round-batch-size"), 32);
  }
}

TEST(Presets, AreRefusedWhereTheirScalesCannotBeLearned) {
  for (const Choices& cannot :
       {Choices{{"act-scale-computation-type", "dynamic"}, {"bias-bit-width", "None"}},
        Choices{{"scale-factor-type", "po2_scale"}}}) {
    Choices choices = cannot;
    choices.push_back({"learned-round-preset", "fast"});
    EXPECT_THROW(quantize_config(settings_of(choices)), ConfigError);
    choices.push_back({"learned-round-act-lr", "0"});
    EXPECT_EQ(quantize_config(settings_of(choices)).learned_round->activation_learning_rate, 0);
  }
}

TEST(Presets, TakeBackWhatAnotherOneHadSet) {
  Settings settings;
  const auto set = [&](const char* word, Source source) {
    settings.set(preset_option(), parse_value(preset_option(), {word}), source);
  };
  set("paper", Source::kConfigFile);
  EXPECT_EQ(settings.integer("learned-round-batch-size"), 32);
  set("fast", Source::kCommandLine);
  EXPECT_EQ(settings.integer("learned-round-batch-size"), 8);
  set("paper", Source::kConfigFile);
  EXPECT_EQ(settings.integer("learned-round-batch-size"), 8);
  set("None", Source::kCommandLine);
  EXPECT_EQ(settings.integer("learned-round-batch-size"), 1);
  EXPECT_TRUE(settings.is_none("learned-round"));
}

}  // namespace
}  // namespace ptq::options
