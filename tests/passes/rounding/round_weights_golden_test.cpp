#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include <sstream>
#include <stdexcept>
#include <utility>

#include "passes/correct_biases.h"
#include "ptq/backends/placement.h"
#include "rounding_network.h"
#include "support/network_builder.h"

// reference-contract A.3: what the reference computes for one small linear layer.
namespace ptq::passes {
namespace {

using ptq::testing::NetworkBuilder;
using testing::batches_of;
using testing::kGpfq;
using testing::kGptq;

/// (37 i + 11) mod 101 ...: the appendix' numbers.
at::Tensor weight() {
  at::Tensor w = at::zeros({4, 12});
  for (int64_t i = 0; i < w.numel(); ++i) {
    w.data_ptr<float>()[i] = static_cast<float>((37 * i + 11) % 101 - 50) / 64;
  }
  return w;
}

at::Tensor inputs(int64_t t, int64_t rows) {
  at::Tensor x = at::zeros({rows, 12});
  for (int64_t i = 0; i < x.numel(); ++i) {
    const int64_t row = i / 12, column = i % 12;
    x.data_ptr<float>()[i] = static_cast<float>((53 * i + 29 * t + 7 * row * row) % 97 - 40) / 32 *
                             (1 + static_cast<float>(column) / 4);
  }
  return x;
}

std::vector<at::Tensor> batches() { return {inputs(0, 20), inputs(1, 10)}; }

struct Example : QuantizedNetwork {
  explicit Example(int bit_width) {
    NetworkBuilder builder({12});
    builder.linear("fc", builder.input(), 4);
    graph = builder.graph();
    layer().weight.value = weight();
    at::Tensor bias = at::zeros({4});
    bias[0] = 0.5, bias[1] = -0.25, bias[2] = 0.125;
    layer().bias->value = bias;
    backends::PlacementOptions placement;
    placement.weights.format = quant::IntegerFormat{bit_width, true, false};
    placement.weights.granularity = quant::Granularity::kPerChannel;
    QuantizedNetwork::operator=(
        backends::place(backends::Backend::kLayerwise, std::move(graph), placement));
    initialize_weight_scales(*this);
    calibrate_activations(*this, {}, batches_of(batches()));
  }

  ir::Weighted& layer() {
    for (ir::Node& node : graph.nodes) {
      if (ir::Weighted* found = ir::weighted(node.op)) return *found;
    }
    throw std::out_of_range("no layer");
  }

  std::vector<int> codes() {
    const at::Tensor found =
        quant::quantize_weight(layer().weight.value, table, layer().weight_quantizer);
    std::vector<int> codes;
    for (int64_t i = 0; i < found.numel(); ++i) {
      codes.push_back(static_cast<int>(found.data_ptr<float>()[i]));
    }
    return codes;
  }
};

std::vector<int> numbers(const std::string& text) {
  std::vector<int> result;
  std::istringstream words(text);
  std::string word;
  while (words >> word) {
    if (word != "/") result.push_back(std::stoi(word));
  }
  return result;
}

struct Golden {
  std::string name;
  RoundingOptions options;
  std::string codes;
};

RoundingOptions options_of(RoundingTechnique technique, bool act_order, bool quantize = false,
                           std::optional<AccumulatorOptions> accumulator = {}) {
  RoundingOptions options;
  options.technique = technique;
  options.act_order = act_order;
  options.quantize_activations = quantize;
  options.accumulator = accumulator;
  return options;
}

constexpr auto kQronos = RoundingTechnique::kQronos;

std::vector<Golden> golden() {
  const std::string gptq =
      "-3 0 3 -3 1 3 -2 2 -4 -1 2 -3 / 0 3 -2 1 3 -2 2 -3 0 2 -3 1 / "
      "3 -2 1 -4 -1 2 -3 0 3 -2 1 3 / -2 1 -4 -1 2 -3 0 3 -2 1 3 -2";
  return {
      {"Gptq", options_of(kGptq, false), gptq},
      {"GptqActOrder", options_of(kGptq, true),
       "-4 1 3 -2 1 3 -2 2 -4 -1 2 -3 / 1 3 -2 1 3 -1 2 -4 0 3 -3 0 / "
       "3 -1 1 -4 -1 2 -3 -1 3 -2 0 3 / -4 3 -4 -1 2 -3 0 3 -2 1 3 -1"},
      {"GptqQuantActivations", options_of(kGptq, false, true), gptq},
      {"Gpfq", options_of(kGpfq, false),
       "-3 0 3 -3 1 3 -2 2 -4 -1 2 -3 / 0 3 -2 1 3 -2 2 -3 0 3 -3 0 / "
       "3 -2 1 -4 -1 2 -3 0 3 -2 1 3 / -2 1 -4 -1 2 -3 0 3 -2 1 3 -2"},
      {"GpfqActOrder", options_of(kGpfq, true),
       "-3 0 3 -2 0 3 -2 1 -4 -1 2 -3 / 0 3 -1 1 3 -1 2 -4 0 3 -3 0 / "
       "3 -1 1 -4 -1 2 -3 0 3 -2 0 3 / -2 3 -4 -1 2 -3 0 3 -2 0 3 -1"},
      {"Qronos", options_of(kQronos, false),
       "-3 0 3 -3 1 3 -2 2 -4 -1 2 -3 / 0 3 -2 1 3 -2 2 -3 0 2 -3 1 / "
       "3 -2 1 -4 -1 2 -3 0 3 -2 1 3 / -2 2 -4 -1 2 -3 0 3 -2 1 3 -2"},
      {"QronosActOrder", options_of(kQronos, true),
       "-4 1 3 -2 1 3 -2 2 -4 -1 2 -3 / 0 3 -1 1 3 -1 2 -4 0 3 -3 0 / "
       "3 -3 1 -4 -1 2 -3 0 3 -2 1 3 / -4 3 -4 -1 2 -3 0 3 -2 1 3 -1"},
      {"GptqAccumulator12", options_of(kGptq, false, true, AccumulatorOptions{12, {}}),
       "-3 0 2 -1 0 4 0 0 -4 0 1 -1 / 0 3 -1 0 5 0 0 -4 0 2 -1 0 / "
       "3 0 0 -4 0 0 -3 0 2 -1 0 3 / 0 0 -4 0 1 -3 0 3 -1 0 4 0"},
      {"GptqAccumulator10", options_of(kGptq, false, true, AccumulatorOptions{10, {}}),
       "-1 0 0 0 0 2 0 0 -1 0 0 0 / 0 1 0 0 2 0 0 0 0 0 0 0 / "
       "1 0 0 -2 0 0 0 0 0 0 0 1 / 0 0 -2 0 0 0 0 0 0 0 2 0"},
      {"GpfqAccumulator12", options_of(kGpfq, false, true, AccumulatorOptions{12, {}}),
       "-3 0 1 -2 0 1 0 3 -6 0 0 0 / 0 3 -2 0 3 -1 3 -4 0 0 0 0 / "
       "3 -1 0 -6 0 0 -4 0 0 -1 0 1 / 0 0 -6 0 0 -5 0 0 -1 1 2 0"},
      {"GpfqAccumulator10", options_of(kGpfq, false, true, AccumulatorOptions{10, {}}),
       "-1 0 0 0 0 0 0 1 -2 0 0 0 / 0 1 0 0 0 0 2 0 0 0 0 0 / "
       "1 0 0 -2 0 0 0 0 0 0 0 0 / 0 0 -3 0 0 0 0 0 0 0 0 0"},
  };
}

class GoldenRounding : public ::testing::TestWithParam<Golden> {};

TEST_P(GoldenRounding, GivesTheReferencesCodes) {
  const bool has_accumulator = GetParam().options.accumulator.has_value();
  Example example(has_accumulator ? 4 : 3);
  round_weights(example, GetParam().options, {}, batches_of(batches()));
  const std::vector<int> codes = example.codes(), expected = numbers(GetParam().codes);
  ASSERT_EQ(codes.size(), expected.size());
  int different = 0;
  for (size_t i = 0; i < codes.size(); ++i) {
    EXPECT_LE(std::abs(codes[i] - expected[i]), 1) << "weight " << i;
    different += codes[i] != expected[i] ? 1 : 0;
  }
  EXPECT_LE(different, 1);
}

INSTANTIATE_TEST_SUITE_P(Appendix, GoldenRounding, ::testing::ValuesIn(golden()),
                         [](const auto& test) { return test.param.name; });

/// Bias after correction, with the weight as it was before GPTQ as the float one.
TEST(GoldenRounding, LeavesBiasCorrectionTheReferencesBiases) {
  Example example(3);
  const OriginalWeights originals = weights_of(example.graph);
  round_weights(example, options_of(kGptq, false), {}, batches_of(batches()));
  BiasCorrectionOptions options;
  options.input_quantizers = InputQuantizers::kLayer;
  options.original_weights = originals;
  correct_biases(example, options, batches_of(batches()));
  const double expected[] = {0.5311172, -0.3035227, 0.08702087, 0.3105037};
  for (int64_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(example.layer().bias->value[i].item<double>(), expected[i], 2e-6);
  }
}

}  // namespace
}  // namespace ptq::passes
