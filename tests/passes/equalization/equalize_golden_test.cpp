#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>

#include "data/normalize.h"
#include "import/import.h"
#include "passes/pipeline.h"
#include "ptq/data/image_folder.h"
#include "ptq/data/loader.h"
#include "ptq/data/sampling.h"
#include "ptq/passes/equalize.h"
#include "support/run_graph.h"

namespace ptq::passes {
namespace {

/// 20 iterations with biases merged, then channels split and activations equalized where the
/// configuration says so.
struct Case {
  const char* model;
  const char* configuration;
  std::optional<ActivationEqualization> activations;
  double splitting_ratio = 0;
};

std::ostream& operator<<(std::ostream& out, const Case& tested) {
  return out << tested.model << "-" << tested.configuration;
}

/// Scales of 8-bit symmetric weights, per tensor, by layer.
std::map<std::string, double> weight_scales(const ir::Graph& graph) {
  std::map<std::string, double> scales;
  for (const ir::Node& node : graph.nodes) {
    const ir::Weighted* layer = ir::weighted(node.op);
    if (layer == nullptr) continue;
    scales[node.name] = layer->weight.value.abs().max().item<double>() / 128;
  }
  return scales;
}

/// A layer with a product in front is called `layer` by the reference, within one of its own name.
std::string layer_of(std::string quantizer) {
  const std::string wrapped = ".layer.", suffix = ".weight_quant";
  const size_t at = quantizer.find(wrapped);
  if (at != std::string::npos) quantizer.replace(at, wrapped.size(), ".");
  return quantizer.substr(0, quantizer.size() - suffix.size());
}

std::map<std::string, double> reference_scales(const nlohmann::json& golden) {
  std::map<std::string, double> scales;
  for (const auto& quantizer : golden.at("quantizers")) {
    if (quantizer.at("kind") != "weight") continue;
    scales[layer_of(quantizer.at("name"))] = quantizer.at("scale");
  }
  return scales;
}

NextBatch calibration_images(const std::string& data, int64_t count) {
  data::ImageFolder folder = data::open_image_folder(data + "/data/imagenet-sample/calibration");
  const auto items =
      data::draw_calibration_items(folder, count, data::CalibrationSampling::kFirst, 0);
  auto loader = std::make_shared<data::Loader>(folder, items, data::LoaderOptions{});
  loader->start(50);
  return [loader]() -> std::optional<at::Tensor> {
    const auto batch = loader->next();
    if (!batch) return std::nullopt;
    return data::normalize(batch->pixels, {});
  };
}

double equalize(ir::Graph& graph, const Case& tested, const std::string& data, int64_t samples) {
  PreparationOptions options;
  options.equalization.iterations = 20;
  options.splitting.ratio = tested.splitting_ratio;
  const double milliseconds = prepare(graph, options).back().milliseconds;
  if (tested.activations) {
    ActivationEqualizationOptions activations;
    activations.mode = *tested.activations;
    activations.execution.threads = 2;
    equalize_activations(graph, activations, calibration_images(data, samples));
  }
  return milliseconds;
}

class EqualizedWeights : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    const char* data = std::getenv("PTQ_TEST_DATA");
    if (data == nullptr) GTEST_SKIP() << "PTQ_TEST_DATA is not set";
    data_ = data;
  }

  nlohmann::json golden() const {
    std::ifstream file(data_ + "/golden/" + GetParam().model + "-" + GetParam().configuration +
                       ".json");
    return nlohmann::json::parse(file);
  }

  std::string data_;
};

TEST_P(EqualizedWeights, HaveTheScalesOfTheReference) {
  const std::string file = data_ + "/models/" + GetParam().model + ".pt";
  const ir::Graph imported = import::import_torchscript(file, {224});
  const nlohmann::json reference = golden();
  ir::Graph plain = imported, graph = imported;
  prepare(plain, {});
  const double milliseconds =
      equalize(graph, GetParam(), data_, reference.at("options").at("calibration_samples"));
  const auto ours = weight_scales(graph), expected = reference_scales(reference);
  EXPECT_EQ(ours.size(), expected.size());
  double largest = 0;
  for (const auto& [layer, scale] : expected) {
    ASSERT_EQ(ours.count(layer), 1U) << layer;
    EXPECT_NEAR(ours.at(layer) / scale, 1, 1e-4) << layer;
    largest = std::max(largest, std::abs(ours.at(layer) / scale - 1));
  }
  const at::Tensor images = ptq::testing::images_for(graph, 2);
  EXPECT_LT(ptq::testing::relative_difference(ptq::testing::run_float(graph, images),
                                              ptq::testing::run_float(plain, images)),
            1e-4);
  RecordProperty("largest_difference_millionths", std::to_string(largest * 1e6));
  RecordProperty("milliseconds", std::to_string(milliseconds));
}

INSTANTIATE_TEST_SUITE_P(SharedModels, EqualizedWeights,
                         ::testing::Values(Case{"squeezenet1_1", "w8a8-default", {}},
                                           Case{"mobilenet_v2", "w8a8-default", {}},
                                           Case{"mobilenet_v2", "graph-split", {}, 0.1},
                                           Case{"vit_tiny_16", "w8a8-default", {}},
                                           Case{"vit_tiny_16", "graph-acteq-fx",
                                                ActivationEqualization::kGraph},
                                           Case{"vit_tiny_16", "graph-acteq-layerwise",
                                                ActivationEqualization::kLayerwise}),
                         [](const auto& tested) {
                           std::string name = ::testing::PrintToString(tested.param);
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace ptq::passes
