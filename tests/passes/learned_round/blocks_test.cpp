#include "passes/learned_round/blocks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ptq/base/error.h"
#include "support/graph_builder.h"

namespace ptq::passes {
namespace {

using ::testing::ElementsAre;
using testing::GraphBuilder;

/// The names of each unit's nodes, in a line.
std::vector<std::string> lines(const std::vector<runtime::SweepUnit>& units) {
  std::vector<std::string> all;
  for (const runtime::SweepUnit& unit : units) {
    std::string line;
    for (const ir::Node* node : unit.nodes) line += (line.empty() ? "" : " ") + node->name;
    all.push_back(line);
  }
  return all;
}

/// Nodes with names of their own; every layer has a weight quantizer.
class BlockNetwork : public GraphBuilder {
 public:
  using GraphBuilder::GraphBuilder;

  ValueId conv(const std::string& name, ValueId in, int64_t channels, int64_t groups = 1,
               int64_t stride = 1) {
    ConvOptions options;
    options.groups = groups;
    options.stride = stride;
    return named(name, GraphBuilder::conv(in, channels, options));
  }
  ValueId linear(const std::string& name, ValueId in, int64_t features) {
    return named(name, GraphBuilder::linear(in, features));
  }
  ValueId relu(const std::string& name, ValueId in) { return add(ir::Relu{}, {in}, name); }
  ValueId quantizer(const std::string& name, ValueId in) {
    return add(ir::FakeQuantize{activation_quantizer(0.1)}, {in}, name);
  }

 private:
  ValueId named(const std::string& name, ValueId value) {
    graph.nodes.back().name = graph.nodes.back().module = name;
    quantize_weight(value, 0.1);
    return value;
  }
};

TEST(StructuralBlocks, AreResidualBlocksWithTheActivationAfterThem) {
  BlockNetwork net;
  const auto stem = net.relu("stem_relu", net.conv("stem", net.input(), 4));
  const auto split = net.quantizer("q", stem);
  const auto inner = net.relu("relu", net.conv("conv1", split, 4));
  const auto sum = net.add(ir::Add{}, {net.conv("conv2", inner, 4), split}, "sum");
  const auto last = net.relu("sum_relu", sum);
  net.graph.output = net.conv("head", last, 2);
  EXPECT_THAT(lines(structural_blocks(net.graph)),
              ElementsAre("stem", "q conv1 relu conv2 sum sum_relu", "head"));
}

TEST(StructuralBlocks, MayHaveAProjectionInTheShortcut) {
  BlockNetwork net;
  const auto stem = net.add(ir::MaxPool{{2, 2}, {2, 2}, {0, 0}, {1, 1}},
                            {net.conv("stem", net.input(), 4)}, "pool");
  const auto inner = net.conv("conv1", stem, 4);
  const auto shortcut = net.conv("downsample", stem, 4);
  net.graph.output = net.add(ir::Add{}, {inner, shortcut}, "sum");
  EXPECT_THAT(lines(structural_blocks(net.graph)), ElementsAre("stem", "conv1 downsample sum"));
}

TEST(StructuralBlocks, AreInvertedResidualsWithAndWithoutAShortcut) {
  BlockNetwork net;
  const auto stem = net.relu("stem_relu", net.conv("stem", net.input(), 4));
  const auto first =
      net.conv("first_narrow", net.relu("first_relu", net.conv("first_dw", stem, 4, 4)), 4);
  const auto wide = net.relu("wide_relu", net.conv("wide", first, 8));
  const auto narrow =
      net.conv("narrow", net.relu("dw_relu", net.conv("dw", net.quantizer("q", wide), 8, 8, 2)), 6);
  const auto again = net.conv("wide2", narrow, 8);
  const auto end = net.conv("narrow2", net.conv("dw2", again, 8, 8), 6);
  net.graph.output = net.add(ir::Add{}, {end, narrow}, "sum");
  EXPECT_THAT(lines(structural_blocks(net.graph)),
              ElementsAre("stem stem_relu first_dw first_relu first_narrow",
                          "wide wide_relu q dw dw_relu narrow", "wide2 dw2 narrow2 sum"));
}

TEST(StructuralBlocks, AreFireModulesWithTheirSqueeze) {
  BlockNetwork net;
  const auto stem = net.conv("stem", net.input(), 4);
  const auto squeeze = net.relu("relu", net.conv("squeeze", net.quantizer("in", stem), 2));
  const auto left = net.conv("expand1", net.quantizer("q1", squeeze), 4);
  const auto right = net.conv("expand3", net.quantizer("q3", squeeze), 4);
  net.graph.output = net.add(ir::Concat{1}, {left, right}, "cat");
  EXPECT_THAT(lines(structural_blocks(net.graph)),
              ElementsAre("stem", "in squeeze relu q1 expand1 q3 expand3 cat"));
}

TEST(StructuralBlocks, AreTheHalvesOfATransformerLayer) {
  BlockNetwork net({5, 8});
  const auto position = net.constant(testing::normals({1, 5, 8}, 1, 3));
  const auto embedded = net.add(ir::Add{}, {net.linear("embed", net.input(), 8), position}, "pos");
  const auto q = net.linear("q", embedded, 8);
  const auto k = net.add(ir::Permute{{0, 2, 1}}, {net.linear("k", embedded, 8)}, "kt");
  const auto scores = net.add(ir::Softmax{-1}, {net.add(ir::MatMul{}, {q, k}, "qk")}, "softmax");
  const auto context = net.add(ir::MatMul{}, {scores, net.linear("v", embedded, 8)}, "av");
  const auto half = net.add(ir::Add{}, {net.linear("out", context, 8), embedded}, "sum1");
  const auto mlp = net.linear("fc2", net.add(ir::Gelu{}, {net.linear("fc1", half, 16)}, "gelu"), 8);
  net.graph.output = net.linear("head", net.add(ir::Add{}, {mlp, half}, "sum2"), 3);
  EXPECT_THAT(lines(structural_blocks(net.graph)),
              ElementsAre("embed", "q k kt qk softmax v av out sum1", "fc1 gelu fc2 sum2", "head"));
}

TEST(StructuralBlocks, LeaveAChainOfLayersToThemselves) {
  BlockNetwork net;
  net.graph.output = net.conv("b", net.relu("relu", net.conv("a", net.input(), 4)), 4);
  EXPECT_THAT(lines(structural_blocks(net.graph)), ElementsAre("a", "b"));
}

TEST(StructuralBlocks, AreNoneOfWhatHasNoLayer) {
  BlockNetwork net;
  const auto conv = net.conv("conv", net.input(), 4);
  net.graph.output = net.add(ir::Mul{}, {conv, net.add(ir::Sigmoid{}, {conv})}, "swish");
  EXPECT_THAT(lines(structural_blocks(net.graph)), ElementsAre("conv"));
}

TEST(LayerUnits, AreAllLayersWithQuantizedWeights) {
  BlockNetwork net;
  const auto plain = net.GraphBuilder::conv(net.input(), 4);
  net.graph.output = net.conv("b", net.conv("a", plain, 4), 4);
  EXPECT_THAT(lines(layer_units(net.graph)), ElementsAre("a", "b"));
}

/// layer1 and layer2, two residual blocks each, as ResNet names them.
struct Stages {
  BlockNetwork net;
  Stages() {
    auto value = net.conv("conv1", net.input(), 4);
    for (const std::string block : {"layer1.0", "layer1.1", "layer2.0"}) {
      const auto split = net.quantizer(net.graph.unique_name("conv1.quantizer"), value);
      const auto inner = net.conv(block + ".conv", split, 4);
      value = net.add(ir::Add{}, {inner, split}, block + ".add");
    }
    net.graph.output = net.conv("fc", value, 2);
  }
};

TEST(NamedBlocks, AreTheOutermostModulesAndWhatLiesBetweenTheirNodes) {
  Stages stages;
  const auto units = named_blocks(stages.net.graph, "layer\\d+");
  EXPECT_THAT(lines(units),
              ElementsAre("conv1",
                          "layer1.0.conv layer1.0.add conv1.quantizer_1 layer1.1.conv "
                          "layer1.1.add",
                          "layer2.0.conv layer2.0.add", "fc"));
}

TEST(NamedBlocks, AreNoneWhereNoNameMatches) {
  Stages stages;
  EXPECT_TRUE(named_blocks(stages.net.graph, "stage").empty());
}

TEST(NamedBlocks, RefuseWhatIsNoBlock) {
  BlockNetwork net;
  const auto first = net.conv("part.a", net.input(), 4);
  const auto second = net.conv("part.b", net.input(), 4);
  const auto third = net.conv("rest", first, 4);
  net.graph.output = net.add(ir::Add{}, {second, third}, "sum");
  EXPECT_THROW(named_blocks(net.graph, "part"), ConfigError);
  EXPECT_THROW(named_blocks(net.graph, "(["), ConfigError);
}

TEST(NameOfAUnit, IsItsFirstAndLastLayer) {
  Stages stages;
  const auto units = named_blocks(stages.net.graph, "layer\\d+");
  EXPECT_EQ(name_of(units[0]), "conv1");
  EXPECT_EQ(name_of(units[1]), "layer1.0.conv .. layer1.1.conv");
}

}  // namespace
}  // namespace ptq::passes
