#include "conformance/conformance.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/randn.h>

#include <utility>

#include "base/threads.h"
#include "import/import.h"
#include "passes/pipeline.h"
#include "ptq/backends/placement.h"
#include "ptq/passes/calibrate.h"
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

/// The interpreter bit for bit, if both run on one thread: some kernels of oneDNN 3 sum in another
/// order on two. The plan sums in an order of its own.
TEST_P(Conformance, InterpreterEqualsModuleAndPlanIsWithinATenThousandth) {
  const support::ConformanceModel& model = GetParam();
  set_intra_op_threads(1);
  const ir::Graph graph = import::import_torchscript(model.path, {model.image_size});
  const auto interpreter = runtime::make_interpreter(graph, {runtime::Numerics::kFloat, {}, 1});
  const auto plan = runtime::make_plan(graph, {runtime::Numerics::kFloat, {}, 2});
  for (const int64_t batch : {1, 2, 5}) {
    const at::Tensor images = at::randn({batch, 3, model.image_size, model.image_size});
    const at::Tensor expected = support::reference_forward(model.path, images);
    expect_lively(expected);
    EXPECT_TRUE(at::equal(interpreter->run(images), expected)) << "batch " << batch;
    const float largest = expected.abs().max().item<float>();
    EXPECT_LE(plan->run(images).sub(expected).abs().max().item<float>(), 1e-4F * largest)
        << "batch " << batch;
  }
}

TEST_P(Conformance, IsQuantizedAndRuns) {
  const support::ConformanceModel& model = GetParam();
  ir::Graph graph = import::import_torchscript(model.path, {model.image_size});
  passes::prepare(graph, {});
  QuantizedNetwork network = backends::place(backends::Backend::kFx, std::move(graph), {});
  passes::initialize_weight_scales(network);
  const at::Tensor images = at::randn({4, 3, model.image_size, model.image_size});
  int batches = 0;
  passes::calibrate_activations(network, {}, [&]() -> std::optional<at::Tensor> {
    return batches++ == 0 ? std::optional(images) : std::nullopt;
  });
  const at::Tensor logits =
      runtime::make_plan(network, {runtime::Numerics::kQuantized, {}, 2})->run(images);
  expect_lively(logits);
  const at::Tensor float_logits =
      runtime::make_plan(network, {runtime::Numerics::kFloat, {}, 2})->run(images);
  EXPECT_FALSE(at::equal(logits, float_logits));
}

INSTANTIATE_TEST_SUITE_P(Models, Conformance, ::testing::ValuesIn(support::conformance_models()),
                         conformance_name);

}  // namespace
}  // namespace ptq
