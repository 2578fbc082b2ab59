// The stages of a quantization: their order, what they return, what a session shares.
#include "ptq/quantize.h"

#include <ATen/ops/equal.h>
#include <gmock/gmock.h>

#include "ptq/base/invalid_option.h"
#include "quant/network_key.h"
#include "support/graph_builder.h"
#include "support/temporary_folder.h"
#include "workflow/quantization.h"
#include "workflow/technique_stages.h"

namespace ptq::workflow {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

/// Two convolutions with a ReLU between them, and a classifier of two classes.
ir::Graph network() {
  ptq::testing::GraphBuilder net({3, 8, 8});
  const auto first = net.add(ir::Relu{}, {net.conv(net.input(), 4)});
  const auto second = net.add(ir::Relu{}, {net.conv(first, 4)});
  return net.finish(net.linear(net.flatten(second), 2));
}

/// A BMP file of 8 x 8 pixels, 24 bits each.
std::string bitmap(const std::string& pixels) {
  std::string file = "BM";
  const auto add = [&](uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) file.push_back(static_cast<char>(value >> (8 * i)));
  };
  for (const uint32_t value : {54U + 192U, 0U, 54U, 40U, 8U, 8U}) add(value, 4);
  add(1, 2);   // planes
  add(24, 2);  // bits
  for (const uint32_t value : {0U, 192U, 0U, 0U, 0U, 0U}) add(value, 4);
  return file + pixels;
}

/// Six images of 8 x 8 in two classes.
class Quantizing : public ::testing::Test {
 protected:
  Quantizing() {
    for (int i = 0; i < 6; ++i) {
      std::string pixels(static_cast<size_t>(8 * 8 * 3), '\0');
      for (size_t at = 0; at < pixels.size(); ++at) {
        pixels[at] = static_cast<char>((at * 37 + static_cast<size_t>(i) * 101) % 251);
      }
      folder_.write((i % 2 == 0 ? "a/" : "b/") + std::to_string(i) + ".bmp", bitmap(pixels));
    }
  }

  ImageSet images() const {
    Recipe recipe;
    recipe.resize = 8;
    recipe.crop = 8;
    return image_folder(folder_.path(), recipe).in_batches_of(4);
  }

  Quantization run(const QuantizeConfig& config, Session& session, Until until = Until::kFinished) {
    Silence silence;
    RecordingLog log(silence);
    Context context{runtime::resolved({1}), log, session, {"network", "images"}};
    context.until = until;
    context.after_stage = [&](const std::string& stage, const QuantizedNetwork& /*network*/) {
      told_.push_back(stage);
    };
    Quantization made = quantize(network(), config, images(), context);
    stages_.clear();
    for (const Stage& stage : log.stages) stages_.push_back(stage.name);
    return made;
  }

  support::TemporaryFolder folder_;
  std::vector<std::string> told_, stages_;
};

TEST_F(Quantizing, GoesThroughItsStagesInOrder) {
  QuantizeConfig config;
  config.rounding = Gptq{};
  Session session;
  const Quantization made = run(config, session);
  EXPECT_THAT(stages_, ElementsAre("prepare", "function check", "place", "weight scales",
                                   "calibration", "gptq", "bias correction"));
  EXPECT_THAT(told_, ElementsAre("calibration", "gptq", "correct-biases"));
  EXPECT_EQ(made.calibration_count, 6);
  EXPECT_EQ(made.techniques.rounding.at(0).technique, "gptq");
  EXPECT_EQ(made.techniques.rounding.at(0).layers.size(), 3U);
  EXPECT_TRUE(made.techniques.bias_correction.has_value());
}

TEST_F(Quantizing, EndsBeforeWeightsChangeWhereAsked) {
  Session session;
  const Quantization made = run({}, session, Until::kCalibrated);
  EXPECT_FALSE(made.techniques.bias_correction.has_value());
  EXPECT_EQ(made.calibration_count, 6);
  EXPECT_TRUE(told_.empty());
}

TEST_F(Quantizing, NeedsNoImagesForWeightsAlone) {
  QuantizeConfig config;
  config.activations.reset();
  config.correct_biases = false;
  const QuantizedNetwork made = ptq::quantize(network(), config);
  EXPECT_EQ(made.table.quantizers.size(), 3U);
  for (const quant::Scale& scale : made.table.scales) EXPECT_TRUE(scale.value.defined());
}

TEST_F(Quantizing, RefusesToCalibrateWithoutImages) {
  EXPECT_THROW(ptq::quantize(network(), QuantizeConfig{}), InvalidOption);
}

TEST_F(Quantizing, SharesACalibrationWithOtherWeights) {
  Session session(Session::Runs::kMany);
  run({}, session);
  QuantizeConfig config;
  config.weights.bit_width = 4;
  const Quantization shared = run(config, session);
  EXPECT_THAT(stages_, Not(Contains("calibration")));
  Session alone;
  const Quantization made = run(config, alone);
  EXPECT_THAT(stages_, Contains("calibration"));
  ASSERT_EQ(shared.network.table.scales.size(), made.network.table.scales.size());
  for (size_t i = 0; i < made.network.table.scales.size(); ++i) {
    const at::Tensor &one = shared.network.table.scales[i].value,
                     &other = made.network.table.scales[i].value;
    if (!other.defined()) continue;
    EXPECT_TRUE(at::equal(one, other)) << i;
  }
}

TEST_F(Quantizing, SharesGptqWithOtherActivations) {
  Session session(Session::Runs::kMany);
  QuantizeConfig config;
  config.rounding = Gptq{};
  config.weights.bit_width = 4;
  run(config, session);
  EXPECT_THAT(stages_, Contains("gptq"));
  config.activations->percentile = 90;
  const Quantization shared = run(config, session);
  EXPECT_THAT(stages_, Not(Contains("gptq")));
  Session alone;
  const Quantization made = run(config, alone);
  EXPECT_EQ(quant::network_key(shared.network), quant::network_key(made.network));
  EXPECT_EQ(shared.techniques.rounding.at(0).layers.size(), 3U);
}

struct Lines : Silence {
  void line(const std::string& text) override { all.push_back(text); }
  std::vector<std::string> all;
};

TEST_F(Quantizing, RoundsOnTheCpuWhateverTheDevice) {
  for (const bool learned : {false, true}) {
    Session session;
    QuantizeConfig config;
    if (learned) config.learned_round = passes::LearnedRoundOptions{};
    Quantization made = run({}, session, Until::kCalibrated);
    Lines lines;
    RecordingLog log(lines);
    Context context{runtime::resolved({1}), log, session};
    context.execution.device = at::Device("cuda:0");
    passes::OriginalWeights originals;
    if (learned) {
      learn_rounding(made.network, config, images(), context);
    } else {
      round_weights(made.network, Gptq{}, config, originals, images(), context);
    }
    EXPECT_THAT(lines.all, Contains(HasSubstr("on the CPU, for it has no form on cuda:0")));
  }
}

TEST_F(Quantizing, SharesGptqWithNothingThatItSees) {
  QuantizeConfig config;
  config.rounding = Gptq{};
  Session session(Session::Runs::kMany);
  run(config, session);
  QuantizeConfig bits = config, order = config, activations = config;
  bits.weights.bit_width = 4;
  order.rounding = Gptq{true};
  Gptq quantized;
  quantized.quantize_activations = true;
  activations.rounding = quantized;
  for (const QuantizeConfig& other : {bits, order, activations, activations}) {
    run(other, session);
    EXPECT_THAT(stages_, Contains("gptq"));
  }
}

TEST_F(Quantizing, CalibratesWhatWasAnnouncedByTheSamePasses) {
  Session session(Session::Runs::kMany);
  QuantizeConfig other;
  other.activations->percentile = 90;
  session.announce({{{"network", "images"}, other}});
  run({}, session);
  run(other, session);
  EXPECT_THAT(stages_, Not(Contains("calibration")));
}

TEST_F(Quantizing, SharesNothingBetweenSources) {
  Session session(Session::Runs::kMany);
  session.announce({{{"another network", "images"}, {}}});
  run({}, session);
  EXPECT_THAT(stages_, Contains("calibration"));
}

TEST_F(Quantizing, MakesTheSameInOneCall) {
  Session session;
  const Quantization long_way = run({}, session);
  const QuantizedNetwork short_way = ptq::quantize(network(), {}, images(), {1});
  EXPECT_EQ(ir::to_text(short_way.graph), ir::to_text(long_way.network.graph));
  const Accuracy accuracy = ptq::evaluate(short_way, images(), {1});
  EXPECT_EQ(accuracy.count, 6);
}

TEST_F(Quantizing, TakesScalesFromAFile) {
  QuantizeConfig config;
  config.correct_biases = false;
  config.equalization.iterations = 0;
  const QuantizedNetwork calibrated = ptq::quantize(network(), config, images(), {1});
  config.quantizers_file = folder_.path() + "/quantizers.json";
  write_quantizers(calibrated, config.quantizers_file);
  const QuantizedNetwork loaded = ptq::quantize(network(), config, {1});
  ASSERT_EQ(loaded.table.scales.size(), calibrated.table.scales.size());
  for (size_t i = 0; i < loaded.table.scales.size(); ++i) {
    const at::Tensor &one = loaded.table.scales[i].value, &other = calibrated.table.scales[i].value;
    ASSERT_EQ(one.defined(), other.defined()) << i;
    if (one.defined()) {
      EXPECT_TRUE(at::equal(one, other)) << i;
    }
  }
  config.weights.bit_width = 4;
  EXPECT_THROW(ptq::quantize(network(), config, {1}), QuantizationError);
}

TEST(EarlyTechniques, AreThoseThatAreOn) {
  QuantizeConfig config;
  config.splitting.ratio = 0.1;
  std::vector<std::string> names;
  for (const EarlyTechnique& technique : early_techniques(config)) {
    names.push_back(technique.name);
    technique.turn_off(config);
  }
  EXPECT_THAT(names, ElementsAre("equalize-graph", "split-channels"));
  EXPECT_TRUE(early_techniques(config).empty());
}

}  // namespace
}  // namespace ptq::workflow
