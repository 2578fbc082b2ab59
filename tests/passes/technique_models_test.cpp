#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <utility>

#include "conformance/conformance.h"
#include "import/import.h"
#include "passes/equalization/range_disturbance.h"
#include "passes/pipeline.h"
#include "ptq/passes/equalize.h"
#include "support/run_graph.h"

// Every technique that keeps a network's function, on a scripted model of torchvision whose batch
// norms and channel ranges are disturbed.
namespace ptq::passes {
namespace {

constexpr double kTolerance = 1e-4;
/// Iterations run on the largest weight of each pair of channels; the weights are read once before
/// and written once behind them. With weights in every iteration twenty would take twenty times
/// what one takes.
constexpr double kMostTimesOne = 10;
/// Processor seconds below which the clock says little.
constexpr double kLeastSeconds = 0.05;

/// What a layer gives its batch norm alone, times 1 to 16, and statistics to match: the network
/// stays what it was. With statistics that do not match, EfficientNet's logits have no digits left.
void disturb_batch_norms(ir::Graph& graph, std::mt19937& random) {
  const ir::Index index(graph);
  for (ir::Node& node : graph.nodes) {
    auto* norm = node.as<ir::BatchNorm>();
    if (norm == nullptr || index.users(node.inputs[0]).size() != 1) continue;
    ir::Node* producer = index.producer(node.inputs[0]);
    if (producer == nullptr || !producer->is<ir::Conv>()) continue;
    ir::Weighted& layer = *ir::weighted(producer->op);
    const at::Tensor gain = testing::log_uniform(norm->running_var.value.numel(), 4, random).mul(4);
    layer.weight.value = layer.weight.value.mul(gain.view({-1, 1, 1, 1}));
    if (layer.bias) layer.bias->value = layer.bias->value.mul(gain);
    norm->running_mean.value = norm->running_mean.value.mul(gain);
    norm->running_var.value =
        norm->running_var.value.add(norm->eps).mul(gain.square()).sub(norm->eps);
  }
}

/// Compiled: an attention takes the interpreter a minute where LibTorch has the reference BLAS.
at::Tensor logits_of(const ir::Graph& graph, const at::Tensor& images) {
  return runtime::make_plan(graph, {runtime::Numerics::kFloat, {}, 1})->run(images);
}

PreparationOptions merging(bool merge) {
  PreparationOptions options;
  options.merge_batch_norm = merge;
  return options;
}

class TechniquesOnModel : public Conformance {
 protected:
  void SetUp() override {
    const support::ConformanceModel& model = GetParam();
    ir::Graph unmerged = import::import_torchscript(model.path, {model.image_size});
    disturb_batch_norms(unmerged, random_);
    merged_ = unmerged;
    prepare(unmerged, merging(false));
    images_ = ptq::testing::images_for(unmerged, 2);
    logits_ = logits_of(unmerged, images_);
    prepare(merged_, merging(true));
    disturbed_ = merged_;
    testing::disturb_ranges(disturbed_, [&](const EqualizationRegion& region) {
      return testing::log_uniform(region.channels, 4, random_);
    });
  }

  void expect_same(const ir::Graph& graph, const char* technique) const {
    const double difference = ptq::testing::relative_difference(logits_of(graph, images_), logits_);
    EXPECT_LT(difference, kTolerance) << GetParam().name << ": " << technique;
    std::printf("  %-28s %.1e of the largest logit\n", technique, difference);
  }

  /// Its norms stand behind layers and before additions.
  static bool has_no_region() { return GetParam().name.rfind("swin_v2", 0) == 0; }

  struct Equalized {
    ir::Graph graph;
    EqualizationReport report;
    double seconds = 0;
  };

  Equalized equalized(int iterations, MergeBias merge_bias) const {
    Equalized result{disturbed_, {}, 0};
    const std::clock_t start = std::clock();
    result.report = equalize_graph(result.graph, {iterations, merge_bias, {}});
    result.seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    return result;
  }

  void equalize(MergeBias merge_bias, const char* technique) const {
    const double one = equalized(1, merge_bias).seconds;
    const auto [graph, report, seconds] = equalized(20, merge_bias);
    std::printf(
        "  %zu regions, %d iterations, largest range ratio %.3g before, %.3g after, "
        "%.3f processor seconds, one iteration %.3f\n",
        report.regions.size(), report.iterations, report.range_ratio_before,
        report.range_ratio_after, seconds, one);
    EXPECT_LT(seconds, kMostTimesOne * std::max(one, kLeastSeconds));
    if (!has_no_region()) {
      EXPECT_GT(report.layers, 0);
      EXPECT_LT(report.range_ratio_after, report.range_ratio_before);
    }
    expect_same(graph, technique);
  }

  void equalize_by_activation(ActivationEqualization mode, const char* technique) const {
    ir::Graph graph = disturbed_;
    ActivationEqualizationOptions options;
    options.mode = mode;
    equalize_activations(graph, options, [&, given = false]() mutable {
      return std::exchange(given, true) ? std::nullopt : std::optional(images_);
    });
    expect_same(graph, technique);
  }

  std::mt19937 random_{1};
  ir::Graph merged_, disturbed_;
  at::Tensor images_, logits_;
};

TEST_P(TechniquesOnModel, KeepItsOutput) {
  std::printf("%s\n", GetParam().name.c_str());
  expect_same(merged_, "batch norms merged");
  expect_same(disturbed_, "channel ranges disturbed");
  equalize(MergeBias::kNo, "equalized, weights alone");
  equalize(MergeBias::kYes, "equalized, biases merged");
  equalize_by_activation(ActivationEqualization::kGraph, "activations, fx");
  equalize_by_activation(ActivationEqualization::kLayerwise, "activations, layerwise");
  for (const Side side : {Side::kOutput, Side::kInput}) {
    ir::Graph graph = disturbed_;
    split_channels(graph, {0.1, side, {}});
    expect_same(graph, side == Side::kOutput ? "outputs split" : "inputs split");
  }
}

std::vector<support::ConformanceModel> scripted_models() {
  std::vector<support::ConformanceModel> models = support::conformance_models();
  const auto is_traced = [](const support::ConformanceModel& model) {
    return model.name.find("traced") != std::string::npos;
  };
  models.erase(std::remove_if(models.begin(), models.end(), is_traced), models.end());
  return models;
}

INSTANTIATE_TEST_SUITE_P(Models, TechniquesOnModel, ::testing::ValuesIn(scripted_models()),
                         conformance_name);

}  // namespace
}  // namespace ptq::passes
