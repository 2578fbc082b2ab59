#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "export/exported_network.h"
#include "export/onnx_runtime.h"
#include "models/hand_defined.h"
#include "models/mobilenet_v1_weights.h"
#include "ptq/base/error.h"
#include "ptq/runtime/executor.h"
#include "support/noise.h"

// Scales for each channel of an activation, and an average pool on codes.
namespace ptq::exporting::testing {
namespace {

Quantized mobilenet_v1() {
  const models::Weights weights = models::mobilenet_v1_weights(4, 10);
  models::QuantizedNetwork made =
      models::find_hand_defined("quant_mobilenet_v1")->build(weights, {});
  passes::initialize_weight_scales(made);
  bool is_first = true;
  passes::calibrate_activations(made, {}, [&]() -> std::optional<at::Tensor> {
    if (!std::exchange(is_first, false)) return std::nullopt;
    return at::randn({2, 3, 224, 224});
  });
  return {std::move(made.graph), std::move(made.table)};
}

TEST(OnnxHandDefined, AgreesWithTheInterpreterAndWithOnnxRuntime) {
  const Quantized network = mobilenet_v1();
  const support::TemporaryFolder folder;
  const std::string path = folder.file("mobilenet.onnx");
  write(network, Format::kOnnx, {}, path);
  const at::Tensor images = at::randn({2, 3, 224, 224});
  const at::Tensor expected = runtime::make_interpreter(network, {})->run(images);
  const at::Tensor in_float =
      runtime::make_interpreter(network, {runtime::Numerics::kFloat, {}, 1})->run(images);
  const auto expect_near = [&](const at::Tensor& found) {
    ptq::testing::expect_same_but_for_flips(found, expected, in_float);
  };
  expect_near(load(path, Format::kOnnx)->run(images));

  if (!why_no_onnx_runtime().empty()) GTEST_SKIP() << why_no_onnx_runtime();
  const OnnxRuntimeJob job{"mobilenet", path, images, Optimization::kDisabled};
  run_in_onnx_runtime({job}, folder);
  expect_near(first_output(job, folder));
}

TEST(OnnxHandDefined, IsRefusedByTorchScriptByName) {
  const Quantized network = mobilenet_v1();
  try {
    check_exportable(network, Format::kTorchScript, {});
    FAIL() << "not refused";
  } catch (const ExportError& error) {
    EXPECT_STREQ(error.what(),
                 "TorchScript cannot express the activation quantizer at "
                 "features.init_block.activation: it has a scale for each channel");
  }
}

}  // namespace
}  // namespace ptq::exporting::testing
