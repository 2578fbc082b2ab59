#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "options/settings.h"
#include "ptq/base/error.h"
#include "support/temporary_folder.h"

namespace ptq::options {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

CommandLine parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "ptq_imagenet_val");
  return parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

std::string refusal(const std::vector<const char*>& arguments) {
  try {
    parse(arguments);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "accepted";
}

class ConfigFile : public ::testing::Test {
 protected:
  std::string write(const std::string& yaml) { return folder_.write("run.yaml", yaml); }

  CommandLine parse_file(const std::string& yaml) {
    return parse({"--config", write(yaml).c_str()});
  }

  /// What the file is refused for, without its own name at the front.
  std::string refusal_of(const std::string& yaml) {
    const std::string path = write(yaml);
    const std::string message = refusal({"--config", path.c_str()});
    EXPECT_THAT(message, StartsWith(path + ": "));
    return message.substr(std::min(message.size(), path.size() + 2));
  }

  support::TemporaryFolder folder_;
};

TEST(CommandLine, KeepsDefaultsAndSaysTheyWereNotGiven) {
  const Settings settings = parse({}).settings;
  EXPECT_EQ(settings.integer("act-bit-width"), 8);
  EXPECT_TRUE(settings.is_on("merge-bn"));
  EXPECT_TRUE(settings.is_none("model"));
  EXPECT_FALSE(settings.given("act-bit-width"));
}

TEST(CommandLine, ReadsEveryType) {
  const Settings settings = parse({"--weight-bit-width", "4", "--act-quant-percentile=99.9",
                                   "--no-merge-bn", "--skip-float", "--model", "a.pt", "--mean",
                                   "-0.5", "0", "1e-1", "--weight-narrow-range"})
                                .settings;
  EXPECT_EQ(settings.integer("weight-bit-width"), 4);
  EXPECT_EQ(settings.number("act-quant-percentile"), 99.9);
  EXPECT_FALSE(settings.is_on("merge-bn"));
  EXPECT_TRUE(settings.is_on("skip-float"));
  EXPECT_TRUE(settings.is_on("weight-narrow-range"));
  EXPECT_EQ(settings.text("model"), "a.pt");
  EXPECT_EQ(settings.numbers("mean"), (std::vector<double>{-0.5, 0, 0.1}));
  EXPECT_TRUE(settings.given("merge-bn"));
}

TEST(CommandLine, RefusesUnknownFlags) {
  EXPECT_EQ(refusal({"--act-bit-widht", "8"}),
            "unknown flag --act-bit-widht; did you mean --act-bit-width?");
  EXPECT_EQ(refusal({"--frobnicate=3"}), "unknown flag --frobnicate; --help-all lists all flags");
  EXPECT_EQ(refusal({"model.pt"}), "unexpected argument 'model.pt'");
  EXPECT_EQ(refusal({"--seed", "1", "-x"}), "unexpected argument '-x'");
}

TEST(CommandLine, RefusesRepeatedMissingAndContradictoryValues) {
  EXPECT_EQ(refusal({"--seed", "1", "--seed", "2"}), "--seed is given twice");
  EXPECT_EQ(refusal({"--seed"}), "--seed lacks its value");
  EXPECT_EQ(refusal({"--mean", "1", "2"}), "--mean takes three numbers: red, green and blue");
  EXPECT_THAT(refusal({"--merge-bn", "--no-merge-bn"}),
              AllOf(HasSubstr("--merge-bn"), HasSubstr("--no-merge-bn")));
}

TEST(CommandLine, HelpFitsATerminal) {
  std::istringstream lines(parse({"--help"}).answer);
  int count = 0, options = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    EXPECT_LE(line.size(), 80U) << line;
    options += line.rfind("  --", 0) == 0 ? 1 : 0;
  }
  EXPECT_EQ(options, 20);
  EXPECT_LE(count, 30);
}

TEST(CommandLine, HelpOfATopicNamesItsOptionsAlone) {
  EXPECT_THAT(parse({"--help", "gate"}).answer,
              AllOf(HasSubstr("--max-drop"), Not(HasSubstr("--weight-bit-width"))));
  EXPECT_EQ(refusal({"--help", "tehcniques"}),
            "--help: 'tehcniques' is none of model, images, quantization, techniques, run, gate, "
            "output; did you mean techniques?");
}

TEST(CommandLine, SuggestsTheNearestWord) {
  EXPECT_EQ(refusal({"--target-backend", "layerwize"}),
            "--target-backend: 'layerwize' is none of fx, layerwise, flexml; did you mean "
            "layerwise?");
  EXPECT_EQ(refusal({"--weight-quant-granularity", "perchannel"}),
            "--weight-quant-granularity: 'perchannel' is none of per_tensor, per_channel, "
            "per_group; did you mean per_channel?");
  EXPECT_THAT(refusal({"--quant-format", "itn"}), HasSubstr("did you mean int?"));
  EXPECT_THAT(refusal({"--act-quant-type", "asymmetric"}), HasSubstr("did you mean asym?"));
  EXPECT_THAT(refusal({"--act-quant-type", "float"}), Not(HasSubstr("did you mean")));
}

TEST(CommandLine, HelpAllNamesEveryOption) {
  const std::string help = parse({"--help-all"}).answer;
  for (const Option& option : option_table()) {
    EXPECT_THAT(help, HasSubstr("--" + std::string(option.name))) << option.name;
  }
  EXPECT_THAT(help, HasSubstr("--gptq, --no-gptq"));
  EXPECT_THAT(help, HasSubstr("fx | layerwise | flexml [fx]"));
  EXPECT_THAT(help, HasSubstr("[99.999]"));
  EXPECT_THAT(help, HasSubstr("--layer-bits TEXT, repeatable"));
}

TEST(CommandLine, VersionNamesProgramAndLibTorch) {
  EXPECT_THAT(parse({"--version"}).answer, AllOf(StartsWith("ptq-eval "), HasSubstr("LibTorch")));
}

TEST_F(ConfigFile, SetsWhatFlagsSet) {
  const Settings by_file = parse_file(
                               "weight_bit_width: 4\n"
                               "act-quant-percentile: 99.9\n"
                               "merge_bn: false\n"
                               "bias_bit_width: null\n"
                               "std: [0.5, 0.25, 1]\n"
                               "model: 'nets/a.pt'\n"
                               "gptq: false\n")
                               .settings;
  const Settings by_flags =
      parse({"--weight-bit-width", "4", "--act-quant-percentile", "99.9", "--no-merge-bn",
             "--bias-bit-width", "None", "--std", "0.5", "0.25", "1", "--model", "nets/a.pt"})
          .settings;
  for (const Option& option : option_table()) {
    if (option.name == "config") continue;
    EXPECT_EQ(by_file.value(option.name), by_flags.value(option.name)) << option.name;
  }
  EXPECT_TRUE(by_file.given("weight-bit-width"));
}

TEST_F(ConfigFile, YieldsToFlags) {
  const std::string path = write("weight_bit_width: 4\nact_bit_width: 6\n");
  const Settings settings = parse({"--config", path.c_str(), "--weight-bit-width", "5"}).settings;
  EXPECT_EQ(settings.integer("weight-bit-width"), 5);
  EXPECT_EQ(settings.integer("act-bit-width"), 6);
}

TEST_F(ConfigFile, IsCheckedAsFlagsAre) {
  EXPECT_EQ(refusal_of("optimizer: adamw\n"),
            "--optimizer: 'adamw' is none of adam, sign_sgd; did you mean adam?");
  EXPECT_EQ(refusal_of("act_bit_width: 33\n"), "--act-bit-width must be between 2 and 16, not 33");
  EXPECT_EQ(refusal_of("act_bit_width: eight\n"), "--act-bit-width: 'eight' is not a whole number");
  EXPECT_EQ(refusal_of("act_quant_type: both\n"), "--act-quant-type: 'both' is none of sym, asym");
  EXPECT_EQ(refusal_of("merge_bn: 3\n"), "--merge-bn: '3' is neither true nor false");
  EXPECT_EQ(refusal_of("seed: [1, 2]\n"), "--seed takes one value");
  EXPECT_EQ(refusal_of("seed: {a: 1}\n"), "--seed takes a value, not a structure");
}

TEST_F(ConfigFile, RefusesKeysItDoesNotKnow) {
  EXPECT_EQ(refusal_of("act_bits: 8\n"), "no option is named 'act_bits'");
  EXPECT_EQ(refusal_of("seed: 1\nseed: 2\n"), "'seed' is there twice");
  EXPECT_EQ(refusal_of("act_bit_width: 8\nact-bit-width: 8\n"), "'act-bit-width' is there twice");
  EXPECT_EQ(refusal_of("config: other.yaml\n"), "a configuration file cannot name another one");
}

TEST_F(ConfigFile, RefusesWhatIsNoMapping) {
  const std::string path = write("- 1\n- 2\n");
  EXPECT_EQ(refusal({"--config", path.c_str()}),
            path + ": it must hold lines of the form `option: value`");
  EXPECT_THAT(refusal_of("a: [1\nb: 2\n"), HasSubstr("is not YAML"));
  EXPECT_THAT(refusal_of("a: " + std::string(5000, '[')), HasSubstr("line 1 nests values "));
}

TEST_F(ConfigFile, MayBeEmptyButNotMissing) {
  EXPECT_EQ(parse_file("").settings.integer("act-bit-width"), 8);
  EXPECT_EQ(refusal({"--config", "/nowhere/run.yaml"}),
            "--config: /nowhere/run.yaml cannot be read: No such file or directory");
  EXPECT_EQ(refusal({"--config", "/proc/self/mem"}),
            "--config: /proc/self/mem cannot be read: Input/output error");
}

}  // namespace
}  // namespace ptq::options
