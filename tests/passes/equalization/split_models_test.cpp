#include <gtest/gtest.h>

#include <unordered_map>

#include "conformance/conformance.h"
#include "import/import.h"
#include "passes/pipeline.h"
#include "ptq/ir/tensors.h"
#include "runtime/execute_op.h"
#include "support/run_graph.h"

namespace ptq::passes {
namespace {

/// In double, so that what a split changes besides rounding stands out: float32 sums over other
/// numbers of channels differ by up to 2.5e-5 of the largest logit.
at::Tensor run_in_double(const ir::Graph& graph, const at::Tensor& images) {
  std::unordered_map<ir::ValueId, at::Tensor> values{{graph.input, images.to(at::kDouble)}};
  for (const ir::Node& node : graph.nodes) {
    ir::Op op = node.op;
    ir::visit_tensors(op, [](at::Tensor& tensor) {
      if (tensor.is_floating_point()) tensor = tensor.to(at::kDouble);
    });
    std::vector<at::Tensor> inputs;
    for (const ir::ValueId input : node.inputs) inputs.push_back(values.at(input));
    values[node.output()] = runtime::execute_op(op, inputs, images.size(0));
  }
  return values.at(graph.output);
}

void expect_same_function(const ir::Graph& plain, const ir::Graph& imported, Side side) {
  ir::Graph split = imported;
  SplittingReport report;
  PreparationOptions options;
  options.splitting = {0.1, side, [&](const SplittingReport& told) { report = told; }};
  prepare(split, options);
  const at::Tensor images = ptq::testing::images_for(plain, 2);
  const at::Tensor expected = run_in_double(plain, images);
  EXPECT_LT(ptq::testing::relative_difference(run_in_double(split, images), expected), 1e-11);
  EXPECT_LT(ptq::testing::relative_difference(ptq::testing::run_float(split, images), expected),
            1e-4);
  const std::string name = side == Side::kOutput ? "output" : "input";
  ::testing::Test::RecordProperty(name + "_regions", static_cast<int>(report.regions.size()));
  ::testing::Test::RecordProperty(name + "_channels", std::to_string(report.channels));
}

using SplitModel = Conformance;

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
