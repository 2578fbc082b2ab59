#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>

#include "conformance/conformance.h"
#include "ptq/backends/placement.h"
#include "ptq/export/export.h"
#include "ptq/import/import.h"
#include "ptq/passes/calibrate.h"
#include "ptq/passes/pipeline.h"
#include "ptq/runtime/executor.h"
#include "support/temporary_folder.h"

namespace ptq {
namespace {

/// Scripted and traced files become the same graph; one of them is enough here.
std::vector<support::ConformanceModel> traced_models() {
  std::vector<support::ConformanceModel> models;
  for (const support::ConformanceModel& model : support::conformance_models()) {
    if (model.name.find("traced") != std::string::npos) models.push_back(model);
  }
  return models;
}

class ExportConformance : public Conformance {};

TEST_P(ExportConformance, TorchScriptFileEqualsInterpreter) {
  const support::ConformanceModel& model = GetParam();
  ir::Graph graph = import::import_torchscript(model.path, {model.image_size});
  passes::prepare(graph, {});
  quant::QuantizerTable table = backends::place(backends::Backend::kFx, graph, {});
  passes::initialize_weight_scales(graph, table);
  const at::Tensor images = at::randn({2, 3, model.image_size, model.image_size});
  int batches = 0;
  passes::calibrate_activations(graph, table, {}, [&]() -> std::optional<at::Tensor> {
    return batches++ == 0 ? std::optional(images) : std::nullopt;
  });
  const support::TemporaryFolder folder;
  const std::string path = folder.file("network.pt");
  exporting::write(graph, table, exporting::Format::kTorchScript, {}, path);
  const at::Tensor logits = exporting::load(path, exporting::Format::kTorchScript)->run(images);
  const at::Tensor expected =
      runtime::make_interpreter(graph, table, {runtime::Numerics::kQuantized, {}, 1})->run(images);
  EXPECT_TRUE(at::equal(logits, expected)) << logits.sub(expected).abs().max().item<float>()
                                           << " of " << expected.abs().max().item<float>();
}

INSTANTIATE_TEST_SUITE_P(Models, ExportConformance, ::testing::ValuesIn(traced_models()),
                         conformance_name);

}  // namespace
}  // namespace ptq
