#include <gmock/gmock.h>

#include <algorithm>

#include "cli/program_fixture.h"
#include "models/mobilenet_v1_weights.h"
#include "support/script_model.h"

// quant_mobilenet_v1 through the program, from a float MobileNet V1 that is a TorchScript file.
namespace ptq::cli {
namespace {

using nlohmann::json;
using support::ScriptModel;
using ::testing::HasSubstr;

constexpr int64_t kWidth = 4;

std::string convolution_code(int64_t stride, int64_t padding, int64_t groups) {
  const auto pair = [](int64_t n) {
    return "[" + std::to_string(n) + ", " + std::to_string(n) + "]";
  };
  return "def forward(self, x):\n    return torch.conv2d(x, self.weight, None, " + pair(stride) +
         ", " + pair(padding) + ", [1, 1], " + std::to_string(groups) + ")\n";
}

void add_block(ScriptModel& parent, const std::string& name, const models::Weights& weights,
               const std::string& prefix, const std::string& convolution) {
  ScriptModel conv, norm, block;
  conv.parameter("weight", weights.at(prefix + ".conv.weight")).code(convolution);
  norm.parameter("weight", weights.at(prefix + ".bn.weight"))
      .parameter("bias", weights.at(prefix + ".bn.bias"))
      .buffer("running_mean", weights.at(prefix + ".bn.running_mean"))
      .buffer("running_var", weights.at(prefix + ".bn.running_var"))
      .code(
          "def forward(self, x):\n    return torch.batch_norm(x, self.weight, self.bias, "
          "self.running_mean, self.running_var, False, 0.1, 1e-5, False)\n");
  block.child("conv", conv)
      .child("bn", norm)
      .code(
          "def forward(self, x):\n    return torch.relu(self.bn.forward(self.conv.forward(x)))\n");
  parent.child(name, block);
}

std::string calls(const std::vector<std::string>& children) {
  std::string code = "def forward(self, x):\n";
  for (const std::string& child : children) code += "    x = self." + child + ".forward(x)\n";
  return code + "    return x\n";
}

void save_mobilenet_v1(const std::string& path) {
  const models::Weights weights = models::mobilenet_v1_weights(kWidth, 10);
  ScriptModel features, output, whole;
  add_block(features, "init_block", weights, "features.init_block", convolution_code(2, 0, 1));
  std::vector<std::string> stages{"init_block"};
  const int units[] = {1, 2, 2, 6, 2};
  int64_t channels = kWidth;
  for (int stage = 1; stage <= 5; ++stage) {
    ScriptModel whole_stage;
    std::vector<std::string> names;
    stages.push_back("stage" + std::to_string(stage));
    for (int unit = 1; unit <= units[stage - 1]; ++unit) {
      names.push_back("unit" + std::to_string(unit));
      const std::string prefix = "features." + stages.back() + "." + names.back();
      const int64_t stride = stage > 1 && unit == 1 ? 2 : 1;
      ScriptModel both;
      add_block(both, "dw_conv", weights, prefix + ".dw_conv",
                convolution_code(stride, 1, channels));
      add_block(both, "pw_conv", weights, prefix + ".pw_conv", convolution_code(1, 0, 1));
      both.code(calls({"dw_conv", "pw_conv"}));
      whole_stage.child(names.back(), both);
      channels = kWidth << stage;
    }
    whole_stage.code(calls(names));
    features.child(stages.back(), whole_stage);
  }
  features.code(calls(stages));
  output.parameter("weight", weights.at("output.weight"))
      .parameter("bias", weights.at("output.bias"))
      .code("def forward(self, x):\n    return torch.linear(x, self.weight, self.bias)\n");
  whole.child("features", features)
      .child("output", output)
      .code(
          "def forward(self, x):\n    x = torch.avg_pool2d(self.features.forward(x), [7, 7], [1, "
          "1])\n    return self.output.forward(torch.flatten(x, 1))\n")
      .save(path);
}

class HandDefined : public Program {
 protected:
  HandDefined() { save_mobilenet_v1(path("mobilenet.pt")); }

  Arguments arguments(const std::string& model, const Arguments& more) const {
    Arguments all = {"--model-name",      "quant_mobilenet_v1", "--model",  model,
                     "--calibration-dir", path("calibration"),  "--resize", "224",
                     "--validation-dir",  path("validation"),   "--crop",   "224"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
};

TEST_F(HandDefined, RunsLikeAnyOther) {
  const json report = report_of_exactly(
      arguments(path("mobilenet.pt"),
                {"--report", path("report.json"), "--dump-quantizers", path("quantizers.json")}));
  EXPECT_GT(report.at("agreement").get<double>(), 0.7);
  EXPECT_EQ(report.at("techniques").at("correct_biases").at("created"), 27);
  const json quantizers = json::parse(support::content_of(path("quantizers.json")));
  const auto found = std::find_if(quantizers.begin(), quantizers.end(), [](const json& quantizer) {
    return quantizer.at("kind") == "activation" &&
           quantizer.at("layer") == "features.init_block.activation";
  });
  ASSERT_NE(found, quantizers.end());
  EXPECT_EQ(found->at("granularity"), "per_channel");
  EXPECT_EQ(found->at("scale").size(), kWidth);
}

TEST_F(HandDefined, RefusesOptionsThatPlaceQuantizers) {
  const auto result = run(arguments(path("mobilenet.pt"), {"--target-backend", "layerwise"}));
  EXPECT_EQ(result.exit_code, static_cast<int>(ExitCode::kUsage));
  EXPECT_THAT(result.err, HasSubstr("defined by hand"));
}

TEST_F(HandDefined, NamesTheWeightThatAnotherModelLacks) {
  const auto result = run(arguments(fixture("tiny.pt"), {}));
  EXPECT_EQ(result.exit_code, static_cast<int>(ExitCode::kModel));
  EXPECT_THAT(result.err, HasSubstr("the float model has no features.init_block.conv.weight"));
}

}  // namespace
}  // namespace ptq::cli
