#include <ATen/ops/ones.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <stdexcept>

#include "export/exported_network.h"
#include "export/onnx/write/writer.h"

// What the file says, node by node (reference-contract 7.1).
namespace ptq::exporting::testing {
namespace {

using ptq::testing::GraphBuilder;
using quant::Granularity;
using quant::IntegerFormat;
using ::testing::ElementsAre;

/// A model with its nodes and initializers by name.
class Written {
 public:
  Written(const Quantized& network, const ExportOptions& options = {})
      : model_(to_onnx(network, options)) {}

  const onnx::ModelProto& model() const { return model_; }
  const onnx::NodeProto& node(const std::string& name) const {
    for (const onnx::NodeProto& node : model_.graph().node()) {
      if (node.name() == name) return node;
    }
    throw std::runtime_error("no node " + name);
  }
  const onnx::TensorProto& tensor(const std::string& name) const {
    for (const onnx::TensorProto& tensor : model_.graph().initializer()) {
      if (tensor.name() == name) return tensor;
    }
    throw std::runtime_error("no tensor " + name);
  }
  /// The node that makes an input of another, and its operator.
  const onnx::NodeProto& maker(const onnx::NodeProto& reader, int input) const {
    return node(reader.input(input));
  }
  std::vector<std::string> chain_above(std::string name) const;
  /// Attribute `axis`; -1 if there is none.
  static int64_t axis(const onnx::NodeProto& node) {
    for (const onnx::AttributeProto& attribute : node.attribute()) {
      if (attribute.name() == "axis") return attribute.i();
    }
    return -1;
  }

 private:
  onnx::ModelProto model_;
};

/// Operators from a value up along first inputs, to the first that is not a node.
std::vector<std::string> Written::chain_above(std::string name) const {
  std::vector<std::string> operators;
  for (bool is_found = true; is_found;) {
    is_found = false;
    for (const onnx::NodeProto& node : model_.graph().node()) {
      if (node.output(0) != name) continue;
      operators.push_back(node.op_type());
      name = node.input(0);
      is_found = true;
      break;
    }
  }
  return operators;
}

/// input -> fake_quantize -> conv -> fake_quantize_1 -> flatten -> linear, quantized as asked.
struct PatternNetwork {
  IntegerFormat activations{8, true, false};
  IntegerFormat weights{8, true, false};
  Granularity granularity = Granularity::kPerTensor;
  quant::Symmetry symmetry = quant::Symmetry::kSymmetric;

  Quantized make() const {
    GraphBuilder b;
    const auto images = b.fake_quantize(b.input(), 0.05);
    const auto conv = b.conv(images, 4);
    const auto quantized_conv = b.fake_quantize(conv, 0.1);
    const auto linear = b.linear(b.flatten(quantized_conv), 5);
    quantize_layer(b, conv), quantize_layer(b, linear);
    for (const ir::QuantizerId id : {0, 1}) {
      b.table.at(id).format = activations;
      b.table.at(id).symmetry = symmetry;
      if (symmetry == quant::Symmetry::kAsymmetric) b.table.at(id).zero_point = at::ones({}).mul(3);
    }
    Quantized network{b.finish(linear), b.table};
    passes::initialize_weight_scales(network);
    return network;
  }

 private:
  void quantize_layer(GraphBuilder& b, ir::ValueId value) const {
    b.quantize_weight(value, 0.01);
    for (ir::Node& node : b.graph.nodes) {
      ir::Weighted* layer = ir::weighted(node.op);
      if (layer == nullptr || node.output() != value) continue;
      layer->weight.name = node.name + ".weight";
      layer->bias->name = node.name + ".bias";
      b.table.at(layer->weight_quantizer).format = weights;
      b.table.at(layer->weight_quantizer).granularity = granularity;
      quant::Quantizer bias;
      bias.kind = quant::QuantizerKind::kBias;
      bias.format = IntegerFormat{32, true, false};
      layer->bias_quantizer = b.table.add(bias);
    }
  }
};

TEST(OnnxPatterns, EightBitsAreQuantizeAndDequantize) {
  const Written file(PatternNetwork{}.make());
  EXPECT_THAT(file.chain_above("fake_quantize"), ElementsAre("DequantizeLinear", "QuantizeLinear"));
  EXPECT_THAT(file.chain_above("conv.weight"), ElementsAre("DequantizeLinear"));
  EXPECT_THAT(file.chain_above("conv.bias"), ElementsAre("DequantizeLinear"));
  EXPECT_EQ(file.tensor("conv.weight.codes").data_type(), onnx::TensorProto::INT8);
  EXPECT_EQ(file.tensor("conv.bias.codes").data_type(), onnx::TensorProto::INT32);
  EXPECT_EQ(file.tensor("conv.weight.scale").dims_size(), 0);
  EXPECT_EQ(file.tensor("fake_quantize.zero_point").data_type(), onnx::TensorProto::INT8);
}

TEST(OnnxPatterns, FewerBitsAreClippedBetween) {
  PatternNetwork network;
  network.activations = {4, false, false};
  network.weights = {4, true, false};
  const Written file(network.make());
  EXPECT_THAT(file.chain_above("fake_quantize"),
              ElementsAre("DequantizeLinear", "Clip", "QuantizeLinear"));
  EXPECT_THAT(file.chain_above("conv.weight"), ElementsAre("DequantizeLinear", "Clip"));
  const onnx::NodeProto& clip = file.node("conv.weight.clip");
  EXPECT_EQ(static_cast<int8_t>(file.tensor(clip.input(1)).raw_data()[0]), -8);
  EXPECT_EQ(static_cast<int8_t>(file.tensor(clip.input(2)).raw_data()[0]), 7);
  EXPECT_EQ(file.tensor("fake_quantize.zero_point").data_type(), onnx::TensorProto::UINT8);
}

TEST(OnnxPatterns, NarrowRangesAreClipped) {
  PatternNetwork network;
  network.weights = {8, true, true};
  const Written file(network.make());
  EXPECT_THAT(file.chain_above("conv.weight"), ElementsAre("DequantizeLinear", "Clip"));
  const onnx::NodeProto& clip = file.node("conv.weight.clip");
  EXPECT_EQ(static_cast<int8_t>(file.tensor(clip.input(1)).raw_data()[0]), -127);
}

TEST(OnnxPatterns, ChannelsHaveAnAxis) {
  PatternNetwork network;
  network.granularity = Granularity::kPerChannel;
  const Written file(network.make());
  EXPECT_EQ(Written::axis(file.node("conv.weight")), 0);
  EXPECT_EQ(file.tensor("conv.weight.scale").dims(0), 4);
  EXPECT_EQ(file.tensor("conv.weight.zero_point").dims(0), 4);
  EXPECT_EQ(Written::axis(file.node("conv.bias")), 0);
  EXPECT_EQ(file.tensor("conv.bias.zero_point").dims(0), 4);
  EXPECT_EQ(file.tensor("conv.bias.zero_point").data_type(), onnx::TensorProto::INT32);
  EXPECT_EQ(Written::axis(file.node("fake_quantize")), -1);
}

TEST(OnnxPatterns, BiasScaleIsThatOfInputTimesWeight) {
  const Quantized network = PatternNetwork{}.make();
  const Written file(network);
  float written = 0;
  std::memcpy(&written, file.tensor("conv.bias.scale").raw_data().data(), sizeof(written));
  const float expected =
      network.table.scale_of(0).value.item<float>() * network.table.scale_of(2).value.item<float>();
  EXPECT_EQ(written, expected);
}

TEST(OnnxPatterns, AsymmetricActivationsHaveAZeroPoint) {
  PatternNetwork network;
  network.activations = {8, false, false};
  network.symmetry = quant::Symmetry::kAsymmetric;
  const Written file(network.make());
  EXPECT_EQ(file.tensor("fake_quantize.zero_point").raw_data(), std::string(1, '\x03'));
}

TEST(OnnxPatterns, SixteenBitsTakeOpset21) {
  PatternNetwork network;
  network.activations = {16, false, false};
  const Written file(network.make());
  EXPECT_EQ(file.model().opset_import(0).version(), 21);
  EXPECT_EQ(file.model().ir_version(), 10);
  EXPECT_EQ(file.tensor("fake_quantize.zero_point").data_type(), onnx::TensorProto::UINT16);
}

TEST(OnnxPatterns, Int4TensorsHoldTwoCodesAByte) {
  PatternNetwork network;
  network.weights = {4, true, false};
  ExportOptions options;
  options.int4_weights = true;
  const Written file(network.make(), options);
  const onnx::TensorProto& codes = file.tensor("conv.weight.codes");
  EXPECT_EQ(codes.data_type(), 22);
  EXPECT_EQ(codes.raw_data().size(), 4 * 3 * 3 * 3 / 2U);
  EXPECT_THAT(file.chain_above("conv.weight"), ElementsAre("DequantizeLinear"));
}

TEST(OnnxPatterns, DefaultsToOpset13WithNamesAndAnOpenBatch) {
  ExportOptions options;
  options.metadata = {{"backend", "fx"}};
  const Written file(PatternNetwork{}.make(), options);
  const onnx::GraphProto& graph = file.model().graph();
  EXPECT_EQ(file.model().opset_import(0).version(), 13);
  EXPECT_EQ(file.model().ir_version(), 7);
  ASSERT_EQ(graph.input_size(), 1);
  EXPECT_EQ(graph.input(0).name(), "images");
  EXPECT_EQ(graph.input(0).type().tensor_type().shape().dim(0).dim_param(), "N");
  EXPECT_EQ(graph.input(0).type().tensor_type().shape().dim(2).dim_value(), 8);
  EXPECT_EQ(graph.output(0).type().tensor_type().shape().dim(0).dim_param(), "N");
  EXPECT_EQ(file.node("conv").op_type(), "Conv");
  EXPECT_EQ(file.node("conv").output(0), "conv");
  ASSERT_EQ(file.model().metadata_props_size(), 1);
  EXPECT_EQ(file.model().metadata_props(0).value(), "fx");
}

TEST(OnnxPatterns, SharedScalesAreOneTensor) {
  GraphBuilder b;
  const ir::QuantizerId first = b.activation_quantizer(0.1);
  const ir::QuantizerId second = b.table.add_sharing_scale(b.table.at(first), first);
  const auto left = b.fake_quantize_with(b.add(ir::Relu{}, {b.input()}), first);
  const auto right = b.fake_quantize_with(b.add(ir::Sigmoid{}, {b.input()}), second);
  b.finish(b.add(ir::Add{}, {left, right}));
  const Written file({b.graph, b.table});
  EXPECT_EQ(file.node("fake_quantize").input(1), file.node("fake_quantize_1").input(1));
}

}  // namespace
}  // namespace ptq::exporting::testing
