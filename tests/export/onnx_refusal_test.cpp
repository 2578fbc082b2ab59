#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "export/export.h"
#include "ptq/base/error.h"
#include "support/graph_builder.h"

namespace ptq::exporting {
namespace {

using quant::Quantizer;
using ::testing::AllOf;
using testing::GraphBuilder;
using ::testing::HasSubstr;

/// A convolution whose weight and input are quantized.
struct RefusedNetwork {
  GraphBuilder builder;
  ir::Graph graph;

  RefusedNetwork() {
    const ir::ValueId conv = builder.conv(builder.fake_quantize(builder.input(), 0.1), 4);
    builder.quantize_weight(conv, 0.01);
    graph = builder.finish(conv);
  }
  Quantizer& activation() { return builder.table.at(0); }
  Quantizer& weight() { return builder.table.at(1); }

  std::string refusal(const ExportOptions& options = {}) const {
    try {
      check_exportable({graph, builder.table}, Format::kOnnx, options);
    } catch (const ExportError& error) {
      return error.what();
    }
    return "none";
  }
};

TEST(OnnxRefusal, LetsIntegersOfEightBitsPass) { EXPECT_EQ(RefusedNetwork().refusal(), "none"); }

TEST(OnnxRefusal, NamesTheLayerOfAMinifloat) {
  RefusedNetwork network;
  network.weight().format = quant::MinifloatFormat{};
  EXPECT_THAT(network.refusal(), AllOf(HasSubstr("the weight of conv"), HasSubstr("minifloat")));
}

TEST(OnnxRefusal, NamesTheLayerOfGroups) {
  RefusedNetwork network;
  network.weight().granularity = quant::Granularity::kPerGroup;
  EXPECT_THAT(network.refusal(), AllOf(HasSubstr("the weight of conv"), HasSubstr("group")));
}

TEST(OnnxRefusal, NamesADynamicActivation) {
  RefusedNetwork network;
  network.activation().timing = quant::Timing::kDynamic;
  EXPECT_THAT(network.refusal(), HasSubstr("the activation quantizer at activation"));
}

TEST(OnnxRefusal, RefusesZeroPointsBetweenWholeNumbers) {
  RefusedNetwork network;
  network.weight().format = quant::IntegerFormat{8, false, false};
  network.weight().symmetry = quant::Symmetry::kAsymmetric;
  network.weight().calibration = quant::Calibration::kHqo;
  EXPECT_THAT(network.refusal(), HasSubstr("not integers"));
}

TEST(OnnxRefusal, NamesAnOpaqueOperator) {
  RefusedNetwork network;
  ir::Opaque opaque;
  opaque.schema = "aten::cumsum";
  network.graph.nodes.back().op = opaque;
  EXPECT_THAT(network.refusal(), AllOf(HasSubstr("aten::cumsum"), HasSubstr("flatten")));
}

TEST(OnnxRefusal, RefusesAnOpsetThatIsUnknown) {
  ExportOptions options;
  for (const int opset : {12, 22}) {
    options.opset = opset;
    EXPECT_THAT(RefusedNetwork().refusal(options), HasSubstr("opset " + std::to_string(opset)));
  }
}

TEST(OnnxRefusal, RefusesSixteenBitsBelowOpset21) {
  RefusedNetwork network;
  network.weight().format = quant::IntegerFormat{16, true, false};
  EXPECT_EQ(network.refusal(), "none");
  ExportOptions options;
  options.opset = 17;
  EXPECT_THAT(network.refusal(options), AllOf(HasSubstr("the weight of conv"), HasSubstr("21")));
  network.weight().format = quant::IntegerFormat{17, true, false};
  EXPECT_THAT(network.refusal(), HasSubstr("17 bits"));
}

TEST(OnnxRefusal, RefusesInt4BelowOpset21) {
  ExportOptions options;
  options.int4_weights = true;
  EXPECT_EQ(RefusedNetwork().refusal(options), "none");
  options.opset = 13;
  EXPECT_THAT(RefusedNetwork().refusal(options), HasSubstr("int4"));
}

}  // namespace
}  // namespace ptq::exporting
