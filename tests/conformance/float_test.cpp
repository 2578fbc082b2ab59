#include <ATen/ops/equal.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/randn.h>

#include "conformance/conformance.h"
#include "ptq/import/import.h"
#include "ptq/runtime/executor.h"

namespace ptq {
namespace {

/// Weights that are too small or too big would hide a difference.
void expect_lively(const at::Tensor& logits) {
  EXPECT_TRUE(at::isfinite(logits).all().item<bool>());
  EXPECT_GT(logits.abs().max().item<float>(), 1e-2F);
  if (logits.size(0) > 1) {
    EXPECT_FALSE(at::equal(logits[0], logits[1]));
  }
}

TEST_P(Conformance, InterpreterEqualsModule) {
  const support::ConformanceModel& model = GetParam();
  const ir::Graph graph = import::import_torchscript(model.path, {model.image_size});
  const auto interpreter = runtime::make_interpreter(graph, {}, {runtime::Numerics::kFloat, {}, 1});
  for (const int64_t batch : {1, 2, 5}) {
    const at::Tensor images = at::randn({batch, 3, model.image_size, model.image_size});
    const at::Tensor expected = support::reference_forward(model.path, images);
    expect_lively(expected);
    EXPECT_TRUE(at::equal(interpreter->run(images), expected)) << "batch " << batch;
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Conformance, ::testing::ValuesIn(support::conformance_models()),
                         conformance_name);

}  // namespace
}  // namespace ptq
