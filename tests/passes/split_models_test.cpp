#include <gtest/gtest.h>

#include "conformance/conformance.h"
#include "ptq/import/import.h"
#include "ptq/passes/pipeline.h"
#include "support/run_graph.h"

namespace ptq::passes {
namespace {

using SplitModel = Conformance;

void expect_same_function(const ir::Graph& plain, const ir::Graph& imported, Side side) {
  ir::Graph split = imported;
  SplittingReport report;
  PreparationOptions options;
  options.splitting = {0.1, side, [&](const SplittingReport& told) { report = told; }};
  prepare(split, options);
  const at::Tensor images = ptq::testing::images_for(plain, 3);
  EXPECT_LT(ptq::testing::relative_difference(ptq::testing::run_float(split, images),
                                              ptq::testing::run_float(plain, images)),
            1e-5);
  const std::string name = side == Side::kOutput ? "output" : "input";
  ::testing::Test::RecordProperty(name + "_regions", report.regions);
  ::testing::Test::RecordProperty(name + "_channels", std::to_string(report.channels));
}

TEST_P(SplitModel, KeepsItsOutput) {
  const support::ConformanceModel& model = GetParam();
  const ir::Graph imported = import::import_torchscript(model.path, {model.image_size});
  ir::Graph plain = imported;
  prepare(plain, {});
  expect_same_function(plain, imported, Side::kOutput);
  expect_same_function(plain, imported, Side::kInput);
}

INSTANTIATE_TEST_SUITE_P(Models, SplitModel, ::testing::ValuesIn(support::conformance_models()),
                         conformance_name);

}  // namespace
}  // namespace ptq::passes
