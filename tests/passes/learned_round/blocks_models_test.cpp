#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "import/import.h"
#include "passes/learned_round/blocks.h"
#include "passes/pipeline.h"
#include "ptq/backends/placement.h"

// The blocks of real models, as backends leave them.
namespace ptq::passes {
namespace {

using ::testing::Contains;

struct Units {
  std::vector<std::string> blocks;
  std::vector<std::string> singles;
};

/// Names of the blocks of a model, and of the layers by themselves; nothing where there is no data.
std::optional<Units> units_of(const std::string& model, backends::Backend backend) {
  const char* data = std::getenv("PTQ_TEST_DATA");
  if (data == nullptr) return std::nullopt;
  ir::Graph graph = import::import_torchscript(std::string(data) + "/models/" + model + ".pt", {});
  prepare(graph, {});
  graph = backends::place(backend, std::move(graph), {}).graph;
  Units units;
  for (const runtime::SweepUnit& unit : structural_blocks(graph)) {
    (unit.nodes.size() > 1 ? units.blocks : units.singles).push_back(name_of(unit));
  }
  return units;
}

TEST(BlocksOfModels, AreTheFireModulesOfSqueezeNet) {
  for (const auto backend : {backends::Backend::kFx, backends::Backend::kLayerwise}) {
    const auto units = units_of("squeezenet1_1", backend);
    if (!units) GTEST_SKIP() << "PTQ_TEST_DATA is not set";
    EXPECT_EQ(units->blocks.size(), 8);
    EXPECT_EQ(units->singles.size(), 2);
    EXPECT_THAT(units->blocks, Contains("features.3.squeeze .. features.3.expand3x3"));
  }
}

TEST(BlocksOfModels, AreTheInvertedResidualsOfMobileNet) {
  for (const auto backend : {backends::Backend::kFx, backends::Backend::kLayerwise}) {
    const auto units = units_of("mobilenet_v2", backend);
    if (!units) GTEST_SKIP() << "PTQ_TEST_DATA is not set";
    // The first convolution goes with the first block, which expands nothing.
    EXPECT_EQ(units->blocks.size(), 17);
    EXPECT_EQ(units->singles.size(), 2);
    EXPECT_THAT(units->blocks, Contains("features.0.0 .. features.1.conv.1"));
    EXPECT_THAT(units->blocks, Contains("features.2.conv.0.0 .. features.2.conv.2"));
    EXPECT_THAT(units->blocks, Contains("features.3.conv.0.0 .. features.3.conv.2"));
  }
}

TEST(BlocksOfModels, AreTheHalvesOfAViTsLayers) {
  const auto units = units_of("vit_tiny_16", backends::Backend::kLayerwise);
  if (!units) GTEST_SKIP() << "PTQ_TEST_DATA is not set";
  EXPECT_EQ(units->blocks.size(), 24);
  EXPECT_EQ(units->singles.size(), 2);
}

}  // namespace
}  // namespace ptq::passes
