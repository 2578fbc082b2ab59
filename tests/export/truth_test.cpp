#include "export/truth.h"

#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include <map>
#include <stdexcept>

#include "support/graph_builder.h"

namespace ptq::exporting {
namespace {

using testing::GraphBuilder;

/// Codes of weights are the weights: scale 1.
struct TrueNetwork {
  GraphBuilder b{{2, 4, 4}, GraphBuilder::Weights::kInteger};

  quant::Quantizer& quantizer_of(ir::ValueId layer) {
    for (ir::Node& node : b.graph.nodes) {
      if (node.output() == layer) return b.table.at(ir::weighted(node.op)->weight_quantizer);
    }
    throw std::runtime_error("no such layer");
  }
  ir::ValueId conv_of(ir::ValueId input, double weight) {
    const ir::ValueId conv = b.conv(input, 1, {1, 1, 0, 1, 1, false});
    b.graph.nodes.back().as<ir::Conv>()->weight.value = at::full({1, 2, 1, 1}, weight);
    b.quantize_weight(conv, 1);
    return conv;
  }
  Truth truth(ir::ValueId output) { return truth_of({b.finish(output), b.table}); }
};

TEST(Truth, AccumulatorsHoldTheWorstCodes) {
  TrueNetwork network;
  const ir::ValueId conv = network.conv_of(network.b.fake_quantize(network.b.input(), 0.1), 64);
  const Truth truth = network.truth(conv);
  ASSERT_EQ(truth.layers.size(), 1U);
  EXPECT_EQ(truth.layers[0].layer, "conv");
  EXPECT_EQ(truth.layers[0].weight_bits, 8);
  EXPECT_EQ(truth.layers[0].input_bits, 8);
  // 2 * 64 * -128 = -2^14 fits 15 bits; 2 * 64 * 127 is below 2^14.
  EXPECT_EQ(truth.layers[0].accumulator_bits, 15);
  EXPECT_EQ(truth.layers[0].accumulator_bits_with_bias, 15);
}

TEST(Truth, AccumulatorsOfNegativeWeightsNeedABitMoreAtTheEdge) {
  TrueNetwork network;
  const ir::ValueId conv = network.conv_of(network.b.fake_quantize(network.b.input(), 0.1), -64);
  // -64 * -128 * 2 = 2^14 does not fit 15 bits.
  EXPECT_EQ(network.truth(conv).layers.at(0).accumulator_bits, 16);
}

TEST(Truth, AccumulatorsKnowTheZeroPoint) {
  TrueNetwork network;
  const ir::ValueId quantized = network.b.fake_quantize(network.b.input(), 0.1, false);
  network.b.table.at(0).symmetry = quant::Symmetry::kAsymmetric;
  network.b.table.at(0).zero_point = at::full({}, 255.0F);
  // Codes less zero point are -255 to 0: 2 * 1 * -255 = -510.
  EXPECT_EQ(network.truth(network.conv_of(quantized, 1)).layers.at(0).accumulator_bits, 10);
}

TEST(Truth, AccumulatorsHoldTheBias) {
  TrueNetwork network;
  const ir::ValueId conv = network.conv_of(network.b.fake_quantize(network.b.input(), 1.0), 64);
  auto& layer = *network.b.graph.nodes.back().as<ir::Conv>();
  layer.bias = ir::Parameter{"bias", at::full({1}, -1.0F)};
  quant::Quantizer bias;
  bias.kind = quant::QuantizerKind::kBias;
  bias.format = quant::IntegerFormat{32, true, false};
  layer.bias_quantizer = network.b.table.add(bias);
  const Truth truth = network.truth(conv);
  EXPECT_EQ(truth.layers.at(0).accumulator_bits, 15);
  EXPECT_EQ(truth.layers.at(0).accumulator_bits_with_bias, 16);
}

TEST(Truth, CountsWhatRunsOnIntegers) {
  TrueNetwork network;
  GraphBuilder& b = network.b;
  const ir::ValueId conv = network.conv_of(b.fake_quantize(b.input(), 0.1), 3);
  const ir::ValueId relu = b.add(ir::Relu{}, {conv});
  const ir::ValueId codes = b.fake_quantize(relu, 0.1, false);
  const ir::ValueId both = b.add(ir::Concat{1}, {codes, codes});
  const ir::ValueId half = b.add(ir::Concat{1}, {codes, conv});
  const ir::ValueId sum = b.add(ir::Add{}, {both, half});
  std::map<std::string, std::pair<int64_t, int64_t>> counts;
  for (const OperatorCount& count : network.truth(sum).operators) {
    counts[count.kind] = {count.on_integers, count.on_floats};
  }
  const std::map<std::string, std::pair<int64_t, int64_t>> expected = {
      {"add", {0, 1}},           {"concat", {1, 1}}, {"conv", {1, 0}},
      {"fake_quantize", {0, 2}}, {"relu", {0, 1}},   {"reshape", {0, 1}},
  };
  EXPECT_EQ(counts, expected);
}

TEST(Truth, WeighsCodesInTheirOwnBits) {
  TrueNetwork network;
  const ir::ValueId conv = network.conv_of(network.b.fake_quantize(network.b.input(), 0.1), 1);
  network.quantizer_of(conv).format = quant::IntegerFormat{3, true, false};
  const Truth truth = network.truth(conv);
  EXPECT_EQ(truth.float_bytes, 8);
  // Two codes of 3 bits in a byte, and two scales.
  EXPECT_EQ(truth.packed_bytes, 1 + 8);
}

TEST(Truth, KnowsTheStepOfTheOutput) {
  GraphBuilder b({2, 4, 4});
  const ir::ValueId conv = b.conv(b.input(), 4);
  ir::Graph graph = b.finish(conv);
  EXPECT_EQ(output_step({graph, b.table}), std::nullopt);
  graph = b.finish(b.fake_quantize(conv, 0.25));
  EXPECT_EQ(output_step({graph, b.table}), 0.25);
}

}  // namespace
}  // namespace ptq::exporting
