#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "conformance/conformance.h"
#include "export/graph_comparison.h"
#include "export/node_comparison.h"
#include "export/onnx_runtime.h"
#include "ptq/import/import.h"

// Torchvision's families, quantized, written and run elsewhere; run as the conformance tests are.
namespace ptq::exporting::testing {
namespace {

struct Compared {
  double steps = 0;
  int64_t agreeing = 0;
};

Compared compare(const Quantized& network, const at::Tensor& actual, const at::Tensor& expected) {
  return {actual.sub(expected).abs().max().item<double>() / tolerance(network, expected),
          actual.argmax(1).eq(expected.argmax(1)).sum().item<int64_t>()};
}

/// A row of results/export.md: differences in the unit of tolerance().
void print_row(const std::string& name, const std::vector<Compared>& results,
               const NodeComparison& nodes) {
  printf("| %s |", name.c_str());
  for (const Compared& result : results) {
    printf(" %.2f | %d |", result.steps, static_cast<int>(result.agreeing));
  }
  printf(" %d | %d | %.1e %s |\n", nodes.nodes, static_cast<int>(nodes.differing_codes),
         nodes.largest_difference, nodes.at.c_str());
}

class ExportedModelTest : public Conformance {
 protected:
  void SetUp() override {
    network_ = quantized(import::import_torchscript(GetParam().path, {GetParam().image_size}), {});
    write(network_.graph, network_.table, Format::kOnnx, {}, path_);
  }
  at::Tensor images(int64_t batch) const {
    return at::randn({batch, 3, GetParam().image_size, GetParam().image_size});
  }

  support::TemporaryFolder folder_;
  std::string path_ = folder_.file("model.onnx");
  Quantized network_;
};

/// Where float32 sums differ in their order, codes flip and flips spread: the logits are another
/// draw (ARCHITECTURE.md, "What float32 can and cannot promise"). What can be asked is that no
/// single node differs by more than rounding: the evaluator's from the graph's, and those of ONNX
/// Runtime from the evaluator's.
TEST_P(ExportedModelTest, IsTheNetworkNodeByNode) {
  const auto evaluator = load(path_, Format::kOnnx);
  const GraphComparison graph = compare_with_graph(network_, *evaluator, images(2));
  EXPECT_LE(graph.largest_difference, 1e-5) << graph.at;
  const std::string obstacle = why_no_onnx_runtime();
  if (!obstacle.empty()) GTEST_SKIP() << obstacle;
  const NodeComparison nodes = compare_nodes(path_, images(2));
  EXPECT_EQ(nodes.differing_codes, 0) << nodes.first_differing;
  EXPECT_LE(nodes.largest_difference, 1e-5) << nodes.at;
}

/// A row of results/export.md; that is what runs it (PTQ_EXPORT_TABLE=1).
TEST_P(ExportedModelTest, Table) {
  if (std::getenv("PTQ_EXPORT_TABLE") == nullptr) GTEST_SKIP() << "PTQ_EXPORT_TABLE is not set";
  const std::string obstacle = why_no_onnx_runtime();
  if (!obstacle.empty()) GTEST_SKIP() << obstacle;
  const at::Tensor eight = images(8);
  const at::Tensor expected =
      runtime::make_interpreter(network_.graph, network_.table, {})->run(eight);
  std::vector<Compared> results{
      compare(network_, load(path_, Format::kOnnx)->run(eight), expected)};
  const std::vector<OnnxRuntimeJob> jobs{{"disabled", path_, eight, Optimization::kDisabled},
                                         {"all", path_, eight, Optimization::kAll},
                                         {"exact", path_, eight, Optimization::kAllExact}};
  run_in_onnx_runtime(jobs, folder_);
  for (const OnnxRuntimeJob& job : jobs) {
    results.push_back(compare(network_, first_output(job, folder_), expected));
  }
  print_row(GetParam().name, results, compare_nodes(path_, images(2)));
}

INSTANTIATE_TEST_SUITE_P(Models, ExportedModelTest,
                         ::testing::ValuesIn(support::conformance_models()), conformance_name);

}  // namespace
}  // namespace ptq::exporting::testing
