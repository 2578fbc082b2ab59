#include <algorithm>
#include <cmath>
#include <cstdio>

#include "eval/drop_test.h"
#include "passes/measured_models.h"
#include "ptq/passes/equalize.h"
#include "range_disturbance.h"
#include "support/run_graph.h"

// What equalization is for: networks whose channels have quite different ranges, of the same
// function as one that quantizes well.
namespace ptq::passes {
namespace {

using testing::kThreads;

/// Two networks of the same function, quantized, are two draws of quantization noise: the images
/// that one has right and the other wrong must be fair coins. At this level a test that compares a
/// few pairs fails by chance on one kind of processor in a thousand.
constexpr double kLeastChance = 3e-4;

class Recovery : public testing::MeasuredModel {
 protected:
  struct Quantization {
    backends::Backend backend = backends::Backend::kFx;
    std::optional<ActivationEqualization> activations = {};
    bool correct_biases = false;
  };

  /// What the quantized network, W8A8 per tensor, answers to 300 images.
  eval::Evaluation answers(ir::Graph graph, const Quantization& quantization) {
    if (quantization.activations) {
      ActivationEqualizationOptions options;
      options.mode = *quantization.activations;
      options.execution.threads = kThreads;
      equalize_activations(graph, options, batches(calibration_));
    }
    QuantizedNetwork network = backends::place(quantization.backend, std::move(graph), {});
    initialize_weight_scales(network);
    CalibrationOptions run;
    run.execution.threads = kThreads;
    calibrate_activations(network, run, batches(calibration_));
    if (quantization.correct_biases) {
      BiasCorrectionOptions options;
      options.execution.threads = kThreads;
      passes::correct_biases(network, options, batches(calibration_));
    }
    const auto plan = runtime::make_plan(network, {runtime::Numerics::kQuantized, {}, kThreads});
    validation_->start(50);
    return eval::evaluate(*plan, *validation_, {}, [](int64_t) {});
  }

  /// How likely two draws of the same noise differ by as many right answers as these.
  static double chance(const eval::Evaluation& a, const eval::Evaluation& b) {
    return eval::mcnemar_exact(eval::compare(a.answers(), b.answers()));
  }

  static long right(const eval::Evaluation& evaluation) {
    return static_cast<long>(evaluation.accuracy.correct);
  }

  static void expect_same_function(const ir::Graph& graph, const ir::Graph& other) {
    const at::Tensor images = ptq::testing::images_for(graph, 2);
    EXPECT_LT(ptq::testing::relative_difference(ptq::testing::run_float(graph, images),
                                                ptq::testing::run_float(other, images)),
              1e-4);
  }

  void open_images(int64_t calibration) {
    calibration_ = images("calibration", calibration);
    validation_ = images("validation", 300);
  }

  std::shared_ptr<data::Loader> calibration_, validation_;
};

TEST_F(Recovery, GraphEqualizationBringsADisturbedMobileNetBack) {
  open_images(200);
  const ir::Graph plain = prepared("mobilenet_v2");
  ir::Graph disturbed = plain;
  std::mt19937 random(1);
  const int regions = testing::disturb_ranges(disturbed, [&](const EqualizationRegion& region) {
    return testing::log_uniform(region.channels, 16, random);
  });
  expect_same_function(disturbed, plain);
  const auto equalized = [](ir::Graph graph, const char* what) {
    const EqualizationReport report = equalize_graph(graph, {20, MergeBias::kYes, {}});
    std::printf("%s: largest range ratio %.3g before, %.3g after, %d iterations\n", what,
                report.range_ratio_before, report.range_ratio_after, report.iterations);
    return graph;
  };
  Quantization quantization;
  quantization.correct_biases = true;
  const eval::Evaluation expected = answers(equalized(plain, "undisturbed"), quantization);
  const long lost = right(answers(disturbed, quantization));
  const eval::Evaluation recovered = answers(equalized(disturbed, "disturbed"), quantization);
  std::printf(
      "%d regions disturbed; right of 300: equalized %ld, disturbed %ld, disturbed and "
      "equalized %ld\n",
      regions, right(expected), lost, right(recovered));
  EXPECT_LT(lost, right(expected) / 2);
  EXPECT_GE(chance(recovered, expected), kLeastChance);
}

TEST_F(Recovery, ActivationEqualizationBringsADisturbedTransformerBack) {
  open_images(64);
  const ir::Graph plain = prepared("vit_tiny_16");
  ir::Graph disturbed = plain;
  std::mt19937 random(1);
  const int regions = testing::disturb_ranges(disturbed, [&](const EqualizationRegion& region) {
    const bool normalized = region.sources.front().node->is<ir::LayerNorm>();
    return normalized ? testing::with_outliers(region.channels, 4, 100, random) : at::Tensor();
  });
  expect_same_function(disturbed, plain);
  Quantization quantization;
  quantization.backend = backends::Backend::kLayerwise;
  const long before = right(answers(plain, quantization));
  const long lost = right(answers(disturbed, quantization));
  std::printf("%d layer norms disturbed; right of 300: undisturbed %ld, disturbed %ld\n", regions,
              before, lost);
  EXPECT_LT(lost, before / 2);
  for (const auto mode : {ActivationEqualization::kGraph, ActivationEqualization::kLayerwise}) {
    quantization.activations = mode;
    const eval::Evaluation expected = answers(plain, quantization);
    const eval::Evaluation recovered = answers(disturbed, quantization);
    std::printf("%s: undisturbed %ld, disturbed %ld\n",
                mode == ActivationEqualization::kGraph ? "fx" : "layerwise", right(expected),
                right(recovered));
    EXPECT_GE(chance(recovered, expected), kLeastChance);
  }
}

/// One pass over the images for all layers. A pass for each layer would take as long as fifty of
/// them, so what a processor, or other work on it, does to the ratio of three passes hardly counts.
TEST_F(Recovery, BiasCorrectionTakesAboutOneFloatAndOneQuantizedPass) {
  const auto loader = images("calibration", 200);
  QuantizedNetwork network = backends::place(backends::Backend::kFx, prepared("mobilenet_v2"), {});
  initialize_weight_scales(network);
  CalibrationOptions run;
  run.execution.threads = kThreads;
  calibrate_activations(network, run, batches(loader));  // Images are decoded by now.
  const auto pass = [&](runtime::Numerics numerics) {
    return seconds([&] {
      const auto plan = runtime::make_plan(network, {numerics, {}, kThreads});
      const NextBatch next = batches(loader);
      while (const auto batch = next()) plan->run(*batch);
    });
  };
  double least = HUGE_VAL;
  for (int i = 0; i < 3; ++i) {
    const double in_float = pass(runtime::Numerics::kFloat);
    const double quantized = pass(runtime::Numerics::kQuantized);
    QuantizedNetwork corrected = network;
    BiasCorrectionOptions options;
    options.execution.threads = kThreads;
    const double correction =
        seconds([&] { passes::correct_biases(corrected, options, batches(loader)); });
    const double ratio = correction / (in_float + quantized);
    std::printf(
        "processor seconds: float %.2f, quantized %.2f, bias correction %.2f: %.2f of both\n",
        in_float, quantized, correction, ratio);
    least = std::min(least, ratio);
  }
  EXPECT_LT(least, 3);
}

}  // namespace
}  // namespace ptq::passes
