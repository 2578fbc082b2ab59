#include <gtest/gtest.h>

#include "conformance/conformance.h"
#include "import/import.h"
#include "passes/equalization/equalization_regions.h"
#include "passes/pipeline.h"
#include "ptq/passes/equalize.h"
#include "support/run_graph.h"

namespace ptq::passes {
namespace {

/// What the reference finds on torchvision's models (reference-contract 6.4).
const std::vector<std::pair<std::string, int>> kRegions = {
    {"resnet18", 12},           {"mobilenet_v2", 42}, {"vit_b_32", 25},
    {"googlenet", 30},          {"vgg11", 9},         {"squeezenet1_1", 17},
    {"mobilenet_v3_small", 19}, {"densenet121", 120}, {"alexnet", 6},
};

std::optional<int> expected_regions(const std::string& file) {
  for (const auto& [model, regions] : kRegions) {
    if (file.rfind(model + "-", 0) == 0) return regions;
  }
  return std::nullopt;
}

using EqualizedModel = Conformance;

TEST_P(EqualizedModel, HasTheRegionsOfTheReferenceAndKeepsItsOutput) {
  const support::ConformanceModel& model = GetParam();
  const ir::Graph imported = import::import_torchscript(model.path, {model.image_size});
  ir::Graph plain = imported, equalized = imported;
  prepare(plain, {});
  EqualizationReport report;
  PreparationOptions options;
  options.equalization.iterations = 20;
  options.equalization.on_report = [&](const EqualizationReport& told) { report = told; };
  const double milliseconds = prepare(equalized, options).back().milliseconds;
  if (const auto regions = expected_regions(model.name)) {
    EXPECT_EQ(report.regions.size(), static_cast<size_t>(*regions));
  }
  const at::Tensor images = ptq::testing::images_for(plain, 3);
  EXPECT_LT(ptq::testing::relative_difference(ptq::testing::run_float(equalized, images),
                                              ptq::testing::run_float(plain, images)),
            1e-4);
  RecordProperty("regions", static_cast<int>(report.regions.size()));
  RecordProperty("iterations", report.iterations);
  RecordProperty("ratio_before", std::to_string(report.range_ratio_before));
  RecordProperty("ratio_after", std::to_string(report.range_ratio_after));
  RecordProperty("milliseconds", std::to_string(milliseconds));
}

INSTANTIATE_TEST_SUITE_P(Models, EqualizedModel, ::testing::ValuesIn(support::conformance_models()),
                         conformance_name);

}  // namespace
}  // namespace ptq::passes
