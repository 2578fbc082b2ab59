#include <gmock/gmock.h>

#include <algorithm>
#include <cstring>

#include "cli/program_fixture.h"

namespace ptq::cli {
namespace {

using nlohmann::json;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;

class GoodRun : public Program {
 protected:
  /// What must not depend on how the work is done.
  static json outcome(const json& report) {
    json outcome;
    for (const char* key : {"count", "agreement", "difference"}) outcome[key] = report.at(key);
    for (const char* key : {"float", "quantized"}) {
      outcome[key] = {report.at(key).at("correct"), report.at(key).at("correct_top5")};
    }
    return outcome;
  }

  std::vector<float> logits_of(const Arguments& more) const {
    Arguments all = more;
    all.insert(all.end(), {"--dump-logits", path("logits.npy")});
    const support::ProgramResult result = run(good(all));
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return values_of(path("logits.npy"));
  }
};

TEST_F(GoodRun, ReportsEveryKey) {
  const json report = report_of({"--seed", "5"});
  EXPECT_EQ(report.at("count"), 30);
  EXPECT_EQ(report.at("seed"), 5);
  for (const char* network : {"float", "quantized"}) {
    const json& part = report.at(network);
    const auto correct = part.at("correct").get<double>();
    EXPECT_DOUBLE_EQ(part.at("top1").get<double>(), correct / 30);
    EXPECT_GE(part.at("top5").get<double>(), part.at("top1").get<double>());
    EXPECT_GT(report.at("images_per_second").at(network).get<double>(), 0);
  }
  const auto agreement = report.at("agreement").get<double>();
  EXPECT_DOUBLE_EQ(agreement, report.at("agreeing").get<double>() / 30);
  const json& difference = report.at("difference");
  EXPECT_LE(difference.at("low").get<double>(), difference.at("top1").get<double>());
  EXPECT_GE(difference.at("high").get<double>(), difference.at("top1").get<double>());
  EXPECT_GT(report.at("peak_rss_mib").get<double>(), 10);
  EXPECT_EQ(report.at("calibration").at("count"), 20);
  EXPECT_EQ(report.at("unreadable").at("count"), 0);
  EXPECT_EQ(report.at("config").at("weight_bit_width"), 8);
  EXPECT_EQ(report.at("config").at("bias_corr"), true);
  EXPECT_TRUE(report.at("config").at("gpu").is_null());
  EXPECT_EQ(report.at("resolved").at("crop"), 32);
  EXPECT_FALSE(report.at("versions").at("libtorch").get<std::string>().empty());
}

TEST_F(GoodRun, TimesEveryStage) {
  std::vector<std::string> names;
  const json report = report_of();
  for (const json& stage : report.at("stages")) {
    names.push_back(stage.at("name"));
    EXPECT_GE(stage.at("seconds").get<double>(), 0);
  }
  EXPECT_EQ(names,
            (std::vector<std::string>{"import", "float evaluation", "function check", "prepare",
                                      "function check", "function check", "place", "weight scales",
                                      "calibration", "bias correction", "quantized evaluation"}));
}

TEST_F(GoodRun, AttributesAccuracyToStages) {
  const json plain = report_of({"--no-merge-bn", "--calibrate-bn"});
  const json report = report_of(
      {"--no-merge-bn", "--calibrate-bn", "--attribute", "--channel-splitting-ratio", "0.1"});
  EXPECT_TRUE(plain.at("attribution").is_null());
  std::vector<std::string> stages;
  for (const json& row : report.at("attribution")) {
    stages.push_back(row.at("stage"));
    EXPECT_GT(row.at("sqnr_db").get<double>(), 5) << stages.back();
    EXPECT_FALSE(row.at("change").is_null()) << "the first is against the float network";
  }
  EXPECT_EQ(stages, (std::vector<std::string>{"preparation", "calibration", "equalize-graph",
                                              "split-channels", "calibrate-batch-norms",
                                              "correct-biases"}));
  EXPECT_EQ(report.at("attribution").back().at("correct"), report.at("quantized").at("correct"));
}

TEST_F(GoodRun, AttributionLeavesTheResultAlone) {
  const std::vector<float> expected = logits_of({"--act-equalization", "fx"});
  EXPECT_EQ(logits_of({"--act-equalization", "fx", "--attribute", "--node-sqnr", "3"}), expected);
}

TEST_F(GoodRun, MeasuresNoiseNodeByNode) {
  const json report = report_of({"--node-sqnr", "2"});
  EXPECT_TRUE(report_of().at("node_noise").is_null());
  int quantizers = 0;
  for (const json& node : report.at("node_noise")) {
    EXPECT_TRUE(node.contains("median_channel_sqnr_db"));
    EXPECT_GE(node.at("range").at("largest").get<double>(), 0);
    if (node.at("operation") != "fake_quantize") continue;
    ++quantizers;
    EXPECT_GT(node.at("own").at("step").get<double>(), 0);
  }
  EXPECT_GT(quantizers, 1);
}

TEST_F(GoodRun, PrintsWhatItDoesAndWhatCameOut) {
  const support::ProgramResult result = run(good());
  EXPECT_EQ(result.exit_code, 0) << result.err;
  for (const char* words :
       {"Model: tiny - Target backend: fx - ", "Merge BN: on", "equalize-graph: ",
        "correct-biases: ", "--calibration-samples was not given: all 20 images are used",
        "float       top-1 ", "quantized   top-1 ", "95 % interval", "predictions are equal",
        "together "}) {
    EXPECT_THAT(result.out, HasSubstr(words));
  }
  EXPECT_THAT(result.out + result.err, Not(HasSubstr("\033")));
}

TEST_F(GoodRun, GivesTheSameForAnyWorkersThreadsAndBatchSizes) {
  const json expected = outcome(report_of());
  EXPECT_EQ(outcome(report_of_exactly(good_but("--workers", "1"))).dump(), expected.dump());
  EXPECT_EQ(outcome(report_of({"--threads", "1"})).dump(), expected.dump());
  EXPECT_EQ(outcome(report_of({"--batch-size-validation", "7"})).dump(), expected.dump());
  EXPECT_EQ(outcome(report_of({"--image-memory", "0"})).dump(), expected.dump());
}

TEST_F(GoodRun, GivesTheSameLogitsForAnyThreadsAndBatchSizes) {
  const std::vector<float> expected = logits_of({});
  ASSERT_EQ(expected.size(), 300U);
  EXPECT_EQ(logits_of({"--threads", "1"}), expected);
  EXPECT_EQ(logits_of({"--batch-size-validation", "7"}), expected);
}

TEST_F(GoodRun, PlanAndInterpreterAgree) {
  const std::vector<float> plan = logits_of({"--compile", "--dump-float-logits", path("plan.npy")});
  const std::vector<float> interpreter =
      logits_of({"--no-compile", "--dump-float-logits", path("interpreter.npy")});
  const std::vector<float> plan_float = values_of(path("plan.npy"));
  const std::vector<float> interpreter_float = values_of(path("interpreter.npy"));
  ASSERT_EQ(plan.size(), interpreter.size());
  ASSERT_EQ(plan_float.size(), interpreter_float.size());
  // A value at a rounding boundary may get another code. But if the two had nothing in common, they
  // would be as far from each other as both together are from float.
  double apart = 0, noise = 0;
  const auto square = [](double x) { return x * x; };
  for (size_t i = 0; i < plan.size(); ++i) {
    EXPECT_NEAR(plan_float[i], interpreter_float[i], 1e-4 * 10);
    apart += square(double{plan[i]} - interpreter[i]);
    noise += square(double{plan[i]} - plan_float[i]);
    noise += square(double{interpreter[i]} - interpreter_float[i]);
  }
  EXPECT_GT(noise, 0);
  EXPECT_LT(apart, noise);
}

TEST_F(GoodRun, ReadsTheSameFromAConfigurationFile) {
  const json by_flags =
      report_of({"--weight-bit-width", "4", "--no-merge-bn", "--calibration-samples", "7",
                 "--calibration-sampling", "random", "--bias-bit-width", "None"});
  const std::string yaml = folder_.write(
      "run.yaml",
      "model: " + fixture("tiny.pt") + "\ncalibration_dir: " + path("calibration") +
          "\nvalidation-dir: " + path("validation") + "\nreport: " + path("report.json") +
          "\nresize: 32\ncrop: 32\nworkers: 2\nweight_bit_width: 4\nmerge_bn: false\n"
          "calibration_samples: 7\ncalibration_sampling: random\nbias_bit_width: None\n");
  const json by_file = report_of_exactly({"--config", yaml});
  EXPECT_EQ(by_file.at("config").dump(), by_flags.at("config").dump());
  EXPECT_EQ(outcome(by_file).dump(), outcome(by_flags).dump());
}

TEST_F(GoodRun, FindsAModelByName) {
  std::filesystem::create_directory(path("models"));
  std::filesystem::copy(fixture("tiny.pt"), path("models/small_one.pt"));
  Arguments arguments = good({"--report", path("report.json")});
  arguments[0] = "--model-dir";
  arguments[1] = path("models");
  arguments.insert(arguments.end(), {"--model-name", "small_one"});
  EXPECT_EQ(outcome(report_of_exactly(arguments)).dump(), outcome(report_of()).dump());
}

TEST_F(GoodRun, SkipsAndListsUnreadableImages) {
  const std::string text = folder_.write("validation/c/text.jpg", "this is no picture\n");
  const std::string other = folder_.write("calibration/c/text.jpg", "nor is this\n");
  const json report = report_of({"--skip-unreadable"});
  EXPECT_EQ(report.at("count"), 30);
  EXPECT_EQ(report.at("calibration").at("count"), 20);
  EXPECT_EQ(report.at("unreadable").at("count"), 2);
  std::vector<std::string> paths;
  for (const json& image : report.at("unreadable").at("images")) {
    paths.push_back(image.at("path"));
    EXPECT_FALSE(image.at("reason").get<std::string>().empty());
  }
  EXPECT_EQ(paths, (std::vector<std::string>{other, text}));
  EXPECT_THAT(report.at("warnings").dump(), HasSubstr(text));
}

TEST_F(GoodRun, LeavesTheFloatNetworkOut) {
  const json report = report_of({"--skip-float"});
  for (const char* key : {"float", "agreement", "difference"}) {
    EXPECT_TRUE(report.at(key).is_null()) << key;
  }
  EXPECT_TRUE(report.at("images_per_second").at("float").is_null());
  EXPECT_EQ(report.at("count"), 30);
}

TEST_F(GoodRun, DumpsEveryQuantizer) {
  ASSERT_EQ(
      run(good({"--dump-quantizers", path("q.json"), "--weight-quant-granularity", "per_channel"}))
          .exit_code,
      0);
  const json dump = json::parse(support::content_of(path("q.json")));
  std::vector<std::string> seen;
  for (const json& entry : dump) {
    seen.push_back(entry.at("kind").get<std::string>() + " " + entry.at("name").get<std::string>());
    for (const char* key :
         {"layer", "scale", "zero_point", "bit_width", "signed", "narrow_range", "axis"}) {
      EXPECT_TRUE(entry.contains(key)) << seen.back() << " " << key;
    }
  }
  EXPECT_THAT(seen, IsSupersetOf({"weight stem.0", "bias stem.0", "weight block.depthwise",
                                  "bias block.pointwise", "weight head", "bias head",
                                  "activation input", "activation stem.2"}));
  const json& stem = *std::find_if(dump.begin(), dump.end(), [](const json& entry) {
    return entry.at("kind") == "weight" && entry.at("name") == "stem.0";
  });
  EXPECT_EQ(stem.at("scale").size(), 8U);
  EXPECT_EQ(stem.at("axis"), 0);
  const auto activation = std::find_if(
      dump.begin(), dump.end(), [](const json& entry) { return entry.at("kind") == "activation"; });
  ASSERT_NE(activation, dump.end());
  EXPECT_TRUE(activation->at("scale").is_number());
  EXPECT_GT(activation->at("scale").get<double>(), 0);
  EXPECT_TRUE(activation->at("axis").is_null());
}

TEST_F(GoodRun, LeavesBiasesInFloat) {
  ASSERT_EQ(run(good({"--dump-quantizers", path("q.json"), "--bias-bit-width", "None"})).exit_code,
            0);
  const json dump = json::parse(support::content_of(path("q.json")));
  EXPECT_GT(dump.size(), 4U);
  for (const json& entry : dump) EXPECT_NE(entry.at("kind"), "bias") << entry.at("name");
}

TEST_F(GoodRun, OptionsChangeWhatTheySay) {
  const std::vector<float> standard = logits_of({});
  for (const Arguments& change :
       {Arguments{"--weight-bit-width", "4"}, Arguments{"--act-bit-width", "4"},
        Arguments{"--bias-bit-width", "16"}, Arguments{"--weight-quant-granularity", "per_channel"},
        Arguments{"--weight-narrow-range"}, Arguments{"--act-quant-percentile", "90"},
        Arguments{"--no-merge-bn"}, Arguments{"--no-bias-corr"},
        Arguments{"--graph-eq-iterations", "0"}, Arguments{"--no-graph-eq-merge-bias"},
        Arguments{"--act-equalization", "fx"}, Arguments{"--act-equalization", "layerwise"},
        Arguments{"--no-uint-sym-act-for-unsigned-values"}, Arguments{"--calibration-samples", "3"},
        Arguments{"--mean", "0", "0", "0"}, Arguments{"--std", "1", "1", "1"},
        Arguments{"--interpolation", "bicubic"}}) {
    EXPECT_NE(logits_of(change), standard) << change[0] << " changes nothing";
  }
}

TEST_F(GoodRun, WarnsWhenATechniqueFindsNothing) {
  const support::ProgramResult result = run(good({"--channel-splitting-ratio", "0.5"}));
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("there is nothing to split in this network"));
}

TEST_F(GoodRun, WarnsWhenLabelsMayNotBeTheModels) {
  std::filesystem::remove_all(path("validation/j"));
  support::ProgramResult result = run(good());
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("--label-offset 1 is needed"));
  std::filesystem::remove_all(path("validation/i"));
  result = run(good());
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("has 8 classes and the model 10"));
}

TEST_F(GoodRun, AnswersHelpAndVersionOnStandardOutput) {
  EXPECT_THAT(run({"--help"}).out, HasSubstr("--calibration-dir"));
  EXPECT_EQ(run({"--help"}).exit_code, 0);
  EXPECT_THAT(run({"--version"}).out, HasSubstr("ptq-eval "));
}

}  // namespace
}  // namespace ptq::cli
