#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include <set>

#include "export/exported_network.h"
#include "support/temporary_folder.h"

// Every operation, written and computed by the evaluator, against the interpreter.
namespace ptq::exporting::testing {
namespace {

using ptq::testing::images_for;
using ptq::testing::PlanCase;

class OnnxOperation : public ::testing::TestWithParam<PlanCase> {
 protected:
  /// Batches of other sizes than the graph was made with.
  void expect_same(const Quantized& network, const ExportOptions& options) {
    const std::string path = folder_.file("model.onnx");
    write(network, Format::kOnnx, options, path);
    const auto exported = load(path, Format::kOnnx);
    const auto interpreter = runtime::make_interpreter(network, {});
    for (const int64_t batch : {1, 2, 5}) {
      const at::Tensor images = images_for(network.graph, batch);
      const at::Tensor expected = interpreter->run(images);
      const at::Tensor actual = exported->run(images);
      ASSERT_EQ(actual.sizes(), expected.sizes());
      EXPECT_LE(actual.sub(expected).abs().max().item<double>(), tolerance(network, expected));
    }
  }

 private:
  support::TemporaryFolder folder_;
};

TEST_P(OnnxOperation, ComputesTheSameInFloat) {
  const ir::Graph graph = graph_of(GetParam());
  for (const int opset : {13, 17, 21}) {
    ExportOptions options;
    options.opset = opset;
    expect_same({graph, {}}, options);
  }
}

TEST_P(OnnxOperation, ComputesTheSameQuantized) {
  expect_same(quantized(graph_of(GetParam()), {}), {});
}

TEST_P(OnnxOperation, ComputesTheSameLayerByLayerWithFourBitsPerChannel) {
  Setting setting;
  setting.backend = backends::Backend::kLayerwise;
  setting.placement.weights.format = quant::IntegerFormat{4, true, false};
  setting.placement.weights.granularity = quant::Granularity::kPerChannel;
  expect_same(quantized(graph_of(GetParam()), setting), {});
}

/// No sums, and no function that programs approximate: each operation rounds once.
TEST(OnnxElementwise, GivesTheVeryBitsOfTheNetwork) {
  const std::set<std::string> exact{"relu",       "relu6",      "hardswish", "hardsigmoid",
                                    "leaky_relu", "add_scalar", "mul_scalar"};
  support::TemporaryFolder folder;
  size_t seen = 0;
  for (const PlanCase& plan_case : onnx_cases()) {
    if (exact.count(plan_case.name) == 0) continue;
    ++seen;
    const ir::Graph graph = graph_of(plan_case);
    const std::string path = folder.file(plan_case.name + ".onnx");
    write({graph, {}}, Format::kOnnx, {}, path);
    const at::Tensor images = images_for(graph, 3);
    EXPECT_TRUE(at::equal(load(path, Format::kOnnx)->run(images),
                          runtime::make_interpreter(graph, {})->run(images)))
        << plan_case.name;
  }
  EXPECT_EQ(seen, exact.size());
}

INSTANTIATE_TEST_SUITE_P(All, OnnxOperation, ::testing::ValuesIn(onnx_cases()),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace ptq::exporting::testing
