#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "conformance/conformance.h"
#include "export/graph_comparison.h"
#include "export/node_comparison.h"
#include "export/onnx_runtime.h"
#include "import/import.h"
#include "parity/onnx_runtime.h"
#include "parity/parting.h"
#include "support/program.h"

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

/// Images, each run alone, on which ONNX Runtime gives other logits than the interpreter, by more
/// than the unit of tolerance(), and how many of them part at a rounding tie.
struct Traced {
  int64_t images = 0;
  int64_t ties = 0;
  double farthest = 0;
};

Traced trace(const Quantized& network, const std::string& path, const at::Tensor& images) {
  Traced traced;
  parity::PartingFinder finder({network, false, 1});
  const auto interpreter = runtime::make_interpreter(network, {});
  const auto model = parity::load_in_onnx_runtime(path, parity::Optimization::kNone);
  for (const at::Tensor& image : images.split(1)) {
    const at::Tensor expected = interpreter->run(image), actual = model->run(image);
    if (compare(network, actual, expected).steps <= 1) continue;
    ++traced.images;
    const parity::Disagreement found{"", 0, finder.find(*model, image, expected, actual)};
    if (found.parting) traced.farthest = std::max(traced.farthest, found.parting->from_boundary);
    traced.ties += found.is_tie();
  }
  return traced;
}

/// PTQ_EXPORT_TABLE, which asks for a row of results/export.md: 1 or po2_scale.
std::string table_asked_for() {
  const char* asked = std::getenv("PTQ_EXPORT_TABLE");
  return asked == nullptr ? "" : asked;
}

Setting setting_of_models() {
  Setting setting;
  if (table_asked_for() == "po2_scale") {
    setting.placement.weights.scale_type = quant::ScaleType::kPowerOfTwo;
    setting.placement.activations->scale_type = quant::ScaleType::kPowerOfTwo;
  }
  return setting;
}

std::string checker_of_python(const std::string& path) {
  const auto result = support::run_program("/usr/bin/python3",
                                           {PTQ_SOURCE_DIR "/tests/export/check_onnx.py", path});
  return result.exit_code == 0 ? "passes" : result.out;
}

/// A row of results/export.md: differences in the unit of tolerance().
void print_row(const std::string& name, const std::vector<Compared>& results, const Traced& traced,
               const NodeComparison& nodes, const std::string& checker) {
  printf("| %s |", name.c_str());
  for (const Compared& result : results) {
    printf(" %.2g (%d) |", result.steps, static_cast<int>(result.agreeing));
  }
  printf(" %d of %d, %.1e |", static_cast<int>(traced.ties), static_cast<int>(traced.images),
         traced.farthest);
  printf(" %d | %d | %.1e | %s\n", nodes.nodes, static_cast<int>(nodes.differing_codes),
         nodes.largest_difference, checker.c_str());
}

class ExportedModelTest : public Conformance {
 protected:
  void SetUp() override {
    network_ = quantized(import::import_torchscript(GetParam().path, {GetParam().image_size}),
                         setting_of_models());
    write(network_, Format::kOnnx, {}, path_);
    write(network_, Format::kTorchScript, {}, script_path_);
  }
  at::Tensor images(int64_t batch) const {
    return at::randn({batch, 3, GetParam().image_size, GetParam().image_size});
  }

  support::TemporaryFolder folder_;
  std::string path_ = folder_.file("model.onnx");
  std::string script_path_ = folder_.file("model.pt");
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

/// Bit for bit, at any batch size.
TEST_P(ExportedModelTest, IsTheNetworkInTorchScript) {
  const auto interpreter = runtime::make_interpreter(network_, {});
  const auto exported = load(script_path_, Format::kTorchScript);
  for (const int64_t batch : {1, 3}) {
    const at::Tensor some = images(batch);
    EXPECT_TRUE(at::equal(exported->run(some), interpreter->run(some))) << "batch " << batch;
  }
}

TEST_P(ExportedModelTest, Table) {
  if (table_asked_for().empty()) GTEST_SKIP() << "PTQ_EXPORT_TABLE is not set";
  const std::string obstacle = why_no_onnx_runtime();
  if (!obstacle.empty()) GTEST_SKIP() << obstacle;
  const at::Tensor eight = images(8);
  const at::Tensor expected = runtime::make_interpreter(network_, {})->run(eight);
  std::vector<Compared> results;
  for (const auto& [path, format] :
       {std::pair(script_path_, Format::kTorchScript), std::pair(path_, Format::kOnnx)}) {
    results.push_back(compare(network_, load(path, format)->run(eight), expected));
  }
  const std::vector<OnnxRuntimeJob> jobs{{"disabled", path_, eight, Optimization::kDisabled},
                                         {"exact", path_, eight, Optimization::kAllExact},
                                         {"all", path_, eight, Optimization::kAll}};
  run_in_onnx_runtime(jobs, folder_);
  for (const OnnxRuntimeJob& job : jobs) {
    results.push_back(compare(network_, first_output(job, folder_), expected));
  }
  const Traced traced = trace(network_, path_, eight);
  print_row(GetParam().name, results, traced, compare_nodes(path_, images(2)),
            checker_of_python(path_));
}

INSTANTIATE_TEST_SUITE_P(Models, ExportedModelTest,
                         ::testing::ValuesIn(support::conformance_models()), conformance_name);

}  // namespace
}  // namespace ptq::exporting::testing
