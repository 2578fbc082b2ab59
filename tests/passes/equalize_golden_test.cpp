#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "ptq/import/import.h"
#include "ptq/passes/pipeline.h"
#include "support/run_graph.h"

namespace ptq::passes {
namespace {

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

std::map<std::string, double> reference_scales(const std::string& path) {
  const std::string suffix = ".weight_quant";
  std::map<std::string, double> scales;
  std::ifstream file(path);
  const nlohmann::json golden = nlohmann::json::parse(file);
  for (const auto& quantizer : golden.at("quantizers")) {
    const std::string name = quantizer.at("name");
    if (quantizer.at("kind") != "weight") continue;
    scales[name.substr(0, name.size() - suffix.size())] = quantizer.at("scale");
  }
  return scales;
}

/// The default configuration: 20 iterations, biases merged.
class EqualizedWeights : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const char* data = std::getenv("PTQ_TEST_DATA");
    if (data == nullptr) GTEST_SKIP() << "PTQ_TEST_DATA is not set";
    data_ = data;
  }
  std::string data_;
};

TEST_P(EqualizedWeights, HaveTheScalesOfTheReference) {
  const std::string model = GetParam();
  const ir::Graph imported = import::import_torchscript(data_ + "/models/" + model + ".pt", {224});
  ir::Graph plain = imported, graph = imported;
  prepare(plain, {});
  PreparationOptions options;
  options.equalization.iterations = 20;
  const auto reports = prepare(graph, options);
  const auto ours = weight_scales(graph);
  const auto reference = reference_scales(data_ + "/golden/" + model + "-w8a8-default.json");
  EXPECT_EQ(ours.size(), reference.size());
  double largest = 0;
  for (const auto& [layer, scale] : reference) {
    ASSERT_EQ(ours.count(layer), 1U) << layer;
    EXPECT_NEAR(ours.at(layer) / scale, 1, 1e-3) << layer;
    largest = std::max(largest, std::abs(ours.at(layer) / scale - 1));
  }
  const at::Tensor images = ptq::testing::images_for(graph, 2);
  const double moved = ptq::testing::relative_difference(ptq::testing::run_float(graph, images),
                                                         ptq::testing::run_float(plain, images));
  EXPECT_LT(moved, 1e-4);
  RecordProperty("largest_difference", std::to_string(largest));
  RecordProperty("output_moved", std::to_string(moved));
  RecordProperty("milliseconds", std::to_string(reports.back().milliseconds));
}

INSTANTIATE_TEST_SUITE_P(SharedModels, EqualizedWeights,
                         ::testing::Values("squeezenet1_1", "mobilenet_v2", "vit_tiny_16"),
                         [](const auto& tested) { return std::string(tested.param); });

}  // namespace
}  // namespace ptq::passes
