#include "export/onnx_runtime.h"

#include <gtest/gtest.h>

#include "export/exported_network.h"

namespace ptq::exporting::testing {
namespace {

using ptq::testing::images_for;

/// One network of one operation, written and waiting.
struct Case {
  std::string name;
  Quantized network;
  OnnxRuntimeJob job;
};

void expect_outputs_of_interpreter(const std::vector<Case>& cases,
                                   const support::TemporaryFolder& folder) {
  std::vector<OnnxRuntimeJob> jobs;
  for (const Case& one : cases) jobs.push_back(one.job);
  run_in_onnx_runtime(jobs, folder);
  for (const Case& one : cases) {
    const at::Tensor expected = runtime::make_interpreter(one.network, {})->run(one.job.images);
    const at::Tensor actual = first_output(one.job, folder);
    ASSERT_EQ(actual.sizes(), expected.sizes()) << one.name;
    EXPECT_LE(actual.sub(expected).abs().max().item<double>(), tolerance(one.network, expected))
        << one.name;
  }
}

class OnnxRuntime : public ::testing::TestWithParam<Optimization> {
 protected:
  void SetUp() override {
    if (!why_no_onnx_runtime().empty()) GTEST_SKIP() << why_no_onnx_runtime();
  }

  void add(const std::string& name, Quantized network, const ExportOptions& options) {
    const std::string path = folder_.file(name + ".onnx");
    write(network, Format::kOnnx, options, path);
    const at::Tensor images = images_for(network.graph, 3);
    cases_.push_back({name, std::move(network), {name, path, images, GetParam()}});
  }

  support::TemporaryFolder folder_;
  std::vector<Case> cases_;
};

TEST_P(OnnxRuntime, RunsEveryOperationInFloat) {
  for (const auto& plan_case : onnx_cases()) {
    for (const int opset : {13, 17, 21}) {
      ExportOptions options;
      options.opset = opset;
      add(plan_case.name + "_" + std::to_string(opset), {graph_of(plan_case), {}}, options);
    }
  }
  expect_outputs_of_interpreter(cases_, folder_);
}

TEST_P(OnnxRuntime, RunsEveryOperationQuantized) {
  for (const auto& plan_case : onnx_cases()) {
    add(plan_case.name, quantized(graph_of(plan_case), {}), {});
  }
  expect_outputs_of_interpreter(cases_, folder_);
}

INSTANTIATE_TEST_SUITE_P(Optimized, OnnxRuntime,
                         ::testing::Values(Optimization::kDisabled, Optimization::kAllExact),
                         [](const auto& tested) {
                           return tested.param == Optimization::kDisabled ? "not" : "fully";
                         });

}  // namespace
}  // namespace ptq::exporting::testing
