#include <ATen/ops/equal.h>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include "export/exported_network.h"
#include "export/node_comparison.h"
#include "export/onnx_runtime.h"
#include "passes/correct_biases.h"
#include "ptq/passes/round_weights.h"
#include "support/program.h"
#include "support/temporary_folder.h"

// One network of all that is quantized, under each way of quantizing that ONNX can express.
namespace ptq::exporting::testing {
namespace {

using backends::Backend;
using ptq::testing::GraphBuilder;
using ptq::testing::images_for;
using quant::IntegerFormat;

/// A residual block, a depthwise and a transposed convolution, squeeze and excitation, a concat,
/// and attention of one head over the rows.
ir::Graph network() {
  GraphBuilder b({3, 8, 8});
  const auto stem = b.add(ir::Relu{}, {b.batch_norm(b.conv(b.input(), 8))});
  const auto branch = b.conv(b.add(ir::Relu6{}, {b.conv(stem, 8, {3, 1, 1, 8, 1, false})}), 8);
  const auto block = b.add(ir::Relu{}, {b.add(ir::Add{}, {branch, stem})});
  const auto pooled = b.add(ir::AdaptiveAvgPool{{1, 1}}, {block});
  const auto gate = b.add(ir::Sigmoid{}, {b.conv(pooled, 8, {1, 1, 0, 1, 1, true})});
  const auto gated = b.add(ir::Mul{}, {block, gate});
  ir::ConvTranspose up;
  up.stride = {2, 2}, up.padding = {1, 1}, up.output_padding = {1, 1}, up.dilation = {1, 1};
  up.weight = b.weight({8, 4, 3, 3});
  const auto wide = b.add(up, {b.conv(gated, 8, {3, 2, 1, 1, 1, true})});
  const auto joined = b.add(ir::Concat{1}, {wide, gated});
  const auto rows = b.add(ir::Reshape{{{1, true}, {12, false}, {64, false}}}, {joined});
  const auto query = b.linear(rows, 16), key = b.linear(rows, 16), value = b.linear(rows, 16);
  const auto turned = b.add(ir::Permute{{0, 2, 1}}, {key});
  const auto scores = b.add(ir::Softmax{-1}, {b.add(ir::MatMul{}, {query, turned})});
  const auto mixed = b.linear(b.add(ir::MatMul{}, {scores, value}), 8);
  return b.finish(b.linear(b.flatten(b.add(ir::Gelu{}, {mixed})), 10));
}

template <class Change>
Setting setting(const std::string& name, Change change) {
  Setting result;
  result.name = name;
  change(result);
  return result;
}

std::vector<Setting> settings() {
  const auto backend = [](Backend chosen) { return [chosen](Setting& s) { s.backend = chosen; }; };
  const auto weights = [](IntegerFormat format) {
    return [format](Setting& s) { s.placement.weights.format = format; };
  };
  const auto both = [](IntegerFormat format) {
    return [format](Setting& s) {
      s.placement.weights.format = format;
      s.placement.activations->format = format;
    };
  };
  return {
      setting("fx", backend(Backend::kFx)),
      setting("layerwise", backend(Backend::kLayerwise)),
      setting("flexml",
              [](Setting& s) {
                s.backend = Backend::kFlexml;
                s.preparation.preparation = passes::Preparation::kFlexml;
              }),
      setting("asymmetric_activations",
              [](Setting& s) { s.placement.activations->symmetry = quant::Symmetry::kAsymmetric; }),
      setting("asymmetric_weights",
              [](Setting& s) {
                s.placement.weights.symmetry = quant::Symmetry::kAsymmetric;
                s.placement.weights.format = IntegerFormat{8, false, false};
              }),
      setting(
          "per_channel",
          [](Setting& s) { s.placement.weights.granularity = quant::Granularity::kPerChannel; }),
      setting("weights_of_4_bits", weights({4, true, false})),
      setting("narrow_range", weights({8, true, true})),
      setting("powers_of_two",
              [](Setting& s) {
                s.placement.weights.scale_type = quant::ScaleType::kPowerOfTwo;
                s.placement.activations->scale_type = quant::ScaleType::kPowerOfTwo;
              }),
      setting("all_of_4_bits", both({4, true, false})),
      setting("all_of_12_bits", both({12, true, false})),
      setting("all_of_16_bits", both({16, true, false})),
      setting("biases_of_16_bits", [](Setting& s) { s.placement.bias_bit_width = 16; }),
      setting("float_biases", [](Setting& s) { s.placement.bias_bit_width = {}; }),
      setting("weights_alone",
              [](Setting& s) {
                s.placement.activations = {};
                s.placement.bias_bit_width = {};
              }),
      setting("int4_tensors",
              [](Setting& s) {
                s.placement.weights.format = IntegerFormat{4, true, false};
                s.placement.weights.granularity = quant::Granularity::kPerChannel;
                s.options.int4_weights = true;
              }),
      setting("uint3_tensors",
              [](Setting& s) {
                s.placement.weights.format = IntegerFormat{3, false, false};
                s.placement.weights.symmetry = quant::Symmetry::kAsymmetric;
                s.options.int4_weights = true;
              }),
      setting("equalized", [](Setting& s) { s.preparation.equalization.iterations = 20; }),
      setting("batch_norm_kept", [](Setting& s) { s.preparation.merge_batch_norm = false; }),
  };
}

onnx::ModelProto load_model(const std::string& path) {
  onnx::ModelProto model;
  model.ParseFromString(support::content_of(path));
  return model;
}

class WrittenNetwork : public ::testing::Test {
 protected:
  void write_network(Quantized network, const ExportOptions& options) {
    network_ = std::move(network);
    write(network_, Format::kOnnx, options, path_);
  }

  void expect_the_same() {
    const at::Tensor images = images_for(network_.graph, 3);
    const at::Tensor expected = runtime::make_interpreter(network_, {})->run(images);
    const at::Tensor actual = load(path_, Format::kOnnx)->run(images);
    EXPECT_LE(actual.sub(expected).abs().max().item<double>(), tolerance(network_, expected));
  }

  void expect_the_same_in_onnx_runtime_node_by_node() {
    const NodeComparison nodes = compare_nodes(path_, images_for(network_.graph, 3));
    EXPECT_GT(nodes.nodes, 20);
    EXPECT_EQ(nodes.differing_codes, 0) << nodes.first_differing;
    EXPECT_LE(nodes.largest_difference, 1e-5) << nodes.at;
  }

  /// The package of Debian 12 knows opsets up to 17.
  void expect_pass_of_python_checker() {
    if (load_model(path_).opset_import(0).version() > 17) return;
    const auto result = support::run_program("/usr/bin/python3",
                                             {PTQ_SOURCE_DIR "/tests/export/check_onnx.py", path_});
    if (result.exit_code == 77) GTEST_SKIP() << "python3-onnx is not installed";
    EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
  }

  support::TemporaryFolder folder_;
  std::string path_ = folder_.file("model.onnx");
  Quantized network_;
};

class OnnxSetting : public WrittenNetwork, public ::testing::WithParamInterface<Setting> {
 protected:
  void SetUp() override { write_network(quantized(network(), GetParam()), GetParam().options); }
};

TEST_P(OnnxSetting, ComputesTheSame) { expect_the_same(); }

TEST_P(OnnxSetting, IsTheSameInOnnxRuntimeNodeByNode) {
  if (!why_no_onnx_runtime().empty()) GTEST_SKIP() << why_no_onnx_runtime();
  expect_the_same_in_onnx_runtime_node_by_node();
}

TEST_P(OnnxSetting, PassesTheCheckerOfThePythonPackage) { expect_pass_of_python_checker(); }

INSTANTIATE_TEST_SUITE_P(Settings, OnnxSetting, ::testing::ValuesIn(settings()),
                         [](const auto& tested) { return tested.param.name; });

/// What changes weights or makes biases that were not there, after calibration.
struct Technique {
  std::string name;
  std::function<void(Quantized&, const passes::NextBatch&)> apply;
};

std::vector<Technique> techniques() {
  return {{"gptq", [](Quantized& to,
                      const passes::NextBatch& next) { passes::round_weights(to, {}, {}, next); }},
          {"bias_correction", [](Quantized& to, const passes::NextBatch& next) {
             passes::correct_biases(to, {}, next);
           }}};
}

class OnnxTechnique : public WrittenNetwork, public ::testing::WithParamInterface<Technique> {};

TEST_P(OnnxTechnique, IsInTheFile) {
  Quantized changed = quantized(network(), {});
  const at::Tensor images = images_for(changed.graph, 4);
  const at::Tensor before = runtime::make_interpreter(changed, {})->run(images);
  GetParam().apply(changed, [batches = 0, images]() mutable -> std::optional<at::Tensor> {
    return batches++ == 0 ? std::optional(images) : std::nullopt;
  });
  const at::Tensor after = runtime::make_interpreter(changed, {})->run(images);
  EXPECT_FALSE(at::equal(before, after));
  write_network(std::move(changed), {});
  expect_the_same();
  expect_pass_of_python_checker();
  if (!why_no_onnx_runtime().empty()) GTEST_SKIP() << why_no_onnx_runtime();
  expect_the_same_in_onnx_runtime_node_by_node();
}

INSTANTIATE_TEST_SUITE_P(Techniques, OnnxTechnique, ::testing::ValuesIn(techniques()),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace ptq::exporting::testing
