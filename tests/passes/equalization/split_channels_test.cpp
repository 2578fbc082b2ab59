#include "ptq/passes/split_channels.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <unordered_map>

#include "passes/pipeline.h"
#include "runtime/execute_op.h"
#include "support/network_builder.h"
#include "support/run_graph.h"

namespace ptq::passes {
namespace {

using ptq::testing::NetworkBuilder;
using Value = ir::ValueId;

const ir::Weighted& layer(const ir::Graph& graph, const std::string& name) {
  for (const ir::Node& node : graph.nodes) {
    if (node.name == name) return *ir::weighted(node.op);
  }
  throw std::out_of_range(name);
}

/// Runs node by node and compares with the shapes that the graph says.
void expect_true_shapes(const ir::Graph& graph) {
  constexpr int64_t kBatch = 3;
  std::unordered_map<Value, at::Tensor> values;
  values[graph.input] = ptq::testing::images_for(graph, kBatch);
  for (const ir::Node& node : graph.nodes) {
    std::vector<at::Tensor> inputs;
    for (const Value input : node.inputs) inputs.push_back(values.at(input));
    const at::Tensor made = runtime::execute_op(node.op, inputs, kBatch);
    const ir::Dims& shape = graph.values[static_cast<size_t>(node.output())].shape;
    EXPECT_EQ(made.sizes().vec(), ir::at_batch(shape, kBatch)) << node.name;
    values[node.output()] = made;
  }
}

/// The split graph: verified, with true shapes, of the same function, and the other graph's tensors
/// as they were.
ir::Graph after(const ir::Graph& before, const SplittingOptions& options, int regions,
                int64_t channels) {
  const at::Tensor images = ptq::testing::images_for(before, 3);
  const at::Tensor expected = ptq::testing::run_float(before, images);
  ir::Graph graph = before;
  const SplittingReport report = split_channels(graph, options);
  EXPECT_EQ(report.regions.size(), static_cast<size_t>(regions));
  EXPECT_EQ(report.channels, channels);
  ir::verify(graph);
  expect_true_shapes(graph);
  const auto difference = [&](const ir::Graph& other) {
    return ptq::testing::relative_difference(ptq::testing::run_float(other, images), expected);
  };
  EXPECT_LT(difference(graph), 1e-5);
  EXPECT_EQ(difference(before), 0);
  return graph;
}

void expect_untouched(const ir::Graph& before, Side side = Side::kOutput) {
  EXPECT_EQ(ir::to_text(after(before, {0.5, side, {}}, 0, 0)), ir::to_text(before));
}

/// Where and why the search from `source` ended.
std::string reason(ir::Graph graph, const std::string& source) {
  for (const RejectedRegion& rejected : split_channels(graph, {0.5, Side::kOutput, {}}).rejected) {
    if (rejected.source == source) return rejected.at + ": " + rejected.reason;
  }
  return "";
}

void expect_equal(const at::Tensor& actual, const std::vector<float>& expected) {
  EXPECT_TRUE(actual.flatten().equal(at::tensor(expected))) << actual;
}

class Split : public ::testing::Test {
 protected:
  Value conv(const std::string& name, Value in, int64_t out = 4, int64_t groups = 1) {
    return net.conv(name, in, {out, 3, 1, groups, true});
  }
  Value relu(Value in) { return net.add("relu", ir::Relu{}, {in}); }
  Value sum(Value a, Value b) { return net.add("sum", ir::Add{}, {a, b}); }
  Value mul(Value a, Value b) { return net.add("mul", ir::Mul{}, {a, b}); }
  Value input() const { return net.input(); }

  NetworkBuilder net{{3, 8, 8}};
};

/// 1x1 convolutions of one input channel, three between and one output.
ir::Graph small_network() {
  NetworkBuilder builder({1, 2, 2});
  const Value a = builder.conv("a", builder.input(), {3, 1, 1, 1, true});
  builder.conv("b", builder.add("relu", ir::Relu{}, {a}), {1, 1, 1, 1, true});
  ir::Graph graph = builder.graph();
  ir::Weighted& first = *ir::weighted(graph.nodes.front().op);
  first.weight.value = at::tensor({1.0F, -8.0F, 2.0F}).view({3, 1, 1, 1});
  first.bias->value = at::tensor({10.0F, 20.0F, 30.0F});
  ir::Weighted& second = *ir::weighted(graph.nodes.back().op);
  second.weight.value = at::tensor({-6.0F, 5.0F, 4.0F}).view({1, 3, 1, 1});
  return graph;
}

TEST(SplitChannels, HalvesRowsAndBiasesAndRepeatsColumns) {
  const ir::Graph graph = after(small_network(), {0.1, Side::kOutput, {}}, 1, 1);
  expect_equal(layer(graph, "a").weight.value, {1, -4, 2, -4});
  expect_equal(layer(graph, "a").bias->value, {10, 10, 30, 10});
  expect_equal(layer(graph, "b").weight.value, {-6, 5, 4, 5});
}

TEST(SplitChannels, HalvesColumnsAndRepeatsRowsAndBiases) {
  const ir::Graph graph = after(small_network(), {0.1, Side::kInput, {}}, 1, 1);
  expect_equal(layer(graph, "a").weight.value, {1, -8, 2, 1});
  expect_equal(layer(graph, "a").bias->value, {10, 20, 30, 10});
  expect_equal(layer(graph, "b").weight.value, {-3, 5, 4, -3});
}

TEST(SplitChannels, RoundsTheShareUpAndPutsCopiesInOrder) {
  const ir::Graph graph = after(small_network(), {0.34, Side::kOutput, {}}, 1, 2);
  expect_equal(layer(graph, "a").weight.value, {1, -4, 1, -4, 1});
  expect_equal(layer(graph, "b").weight.value, {-6, 5, 4, 5, 4});
}

TEST(SplitChannels, SplitsAllAtARatioOfOne) { after(small_network(), {1, Side::kInput, {}}, 1, 3); }

TEST(SplitChannels, DoesNothingWithoutARatio) {
  const ir::Graph before = small_network();
  EXPECT_EQ(ir::to_text(after(before, {}, 0, 0)), ir::to_text(before));
}

TEST_F(Split, WidensReshapesUpToALinearBehindPooling) {
  const Value pool = net.add("pool", ir::AdaptiveAvgPool{{1, 1}}, {relu(conv("a", input(), 5))});
  net.linear("fc", net.reshape("flat", pool, {5}), 3);
  const ir::Graph before = net.graph();
  for (const Side side : {Side::kOutput, Side::kInput}) {
    const ir::Graph graph = after(before, {0.3, side, {}}, 1, 2);
    std::string expected = ir::to_text(before);
    expected.replace(expected.find(", 5]"), 4, ", 7]");
    EXPECT_EQ(ir::to_text(graph), expected);
  }
}

TEST_F(Split, LeavesALinearThatReadsPositions) {
  net.linear("fc", net.reshape("flat", conv("a", input()), {256}), 3);
  expect_untouched(net.graph());
}

TEST_F(Split, LayersOfAChainAreSplitOnBothSides) {
  conv("c", relu(conv("b", relu(conv("a", input(), 6)), 10)), 2);
  const ir::Graph graph = after(net.graph(), {0.1, Side::kOutput, {}}, 2, 2);
  EXPECT_EQ(layer(graph, "b").weight.value.sizes().vec(), (std::vector<int64_t>{11, 7, 3, 3}));
  after(net.graph(), {0.1, Side::kInput, {}}, 2, 2);
}

TEST_F(Split, TransposedConvolutionsHaveTheirAxesTheOtherWay) {
  ir::ConvTranspose up;
  up.weight = net.parameter("up.weight", {4, 5, 2, 2});
  up.bias = net.parameter("up.bias", {5});
  up.stride = {2, 2}, up.padding = {0, 0}, up.output_padding = {0, 0}, up.dilation = {1, 1};
  conv("b", net.add("up", up, {relu(conv("a", input(), 4))}), 2);
  const ir::Graph graph = after(net.graph(), {0.5, Side::kOutput, {}}, 2, 5);
  EXPECT_EQ(layer(graph, "up").weight.value.sizes().vec(), (std::vector<int64_t>{6, 8, 2, 2}));
}

/// a and b choose for themselves; what either chose is split in both, and in c, too.
TEST_F(Split, LayersOfAResidualSumAreSplitAlike) {
  const Value a = conv("a", input(), 4);
  conv("c", relu(sum(a, conv("b", relu(a), 4))), 2);
  ir::Graph before = net.graph();
  const auto largest = [&](const std::string& name, int64_t channel) {
    at::Tensor weight = layer(before, name).weight.value.clone();
    weight[channel].mul_(100);
    for (ir::Node& node : before.nodes) {
      if (node.name == name) ir::weighted(node.op)->weight.value = weight;
    }
  };
  largest("a", 3), largest("b", 1);
  const ir::Graph graph = after(before, {0.25, Side::kOutput, {}}, 1, 2);
  EXPECT_EQ(layer(graph, "b").weight.value.sizes().vec(), (std::vector<int64_t>{6, 6, 3, 3}));
  const at::Tensor copies = layer(graph, "c").weight.value.narrow(1, 4, 2);
  EXPECT_TRUE(copies.equal(layer(before, "c").weight.value.index_select(1, at::tensor({1, 3}))));
}

TEST_F(Split, LeavesDepthwiseAndGroupedConvolutions) {
  conv("c", relu(conv("depthwise", relu(conv("a", input(), 6)), 6, 6)));
  conv("last", conv("grouped", conv("d", relu(input()), 6), 4, 2));
  expect_untouched(net.graph());
  const std::string kind = "normalizations and grouped convolutions are not split";
  EXPECT_EQ(reason(net.graph(), "a"), "depthwise: " + kind);
  EXPECT_EQ(reason(net.graph(), "grouped"), "grouped: " + kind);
  EXPECT_EQ(reason(net.graph(), "d"),
            "grouped: a grouped convolution cannot divide its input channels");
}

TEST_F(Split, LeavesNormalizations) {
  conv("a", net.batch_norm("norm", conv("b", input())));
  expect_untouched(net.graph());
}

TEST_F(Split, LeavesConcats) {
  conv("d", net.add("cat", ir::Concat{1}, {conv("a", input()), conv("b", input())}));
  expect_untouched(net.graph());
  EXPECT_EQ(reason(net.graph(), "a"), "a: it produces only a part of the channels");
}

ir::Graph gated_network(int64_t gate_width) {
  NetworkBuilder builder({3, 8, 8});
  const Value gate = builder.conv("gate", builder.input(), {gate_width});
  const Value sigmoid = builder.add("sigmoid", ir::Sigmoid{}, {gate});
  const Value a = builder.conv("a", builder.input(), {4});
  builder.conv("b", builder.add("mul", ir::Mul{}, {a, sigmoid}), {2});
  return builder.graph();
}

/// A gate of one number for all channels need not grow; one for each would have to.
TEST(SplitChannels, LeavesWhatIsMultipliedChannelByChannel) {
  expect_untouched(gated_network(4));
  EXPECT_EQ(reason(gated_network(4), "a"), "mul: the other factor would have to grow as well");
  after(gated_network(1), {0.5, Side::kOutput, {}}, 1, 2);
}

/// The product is read for either of its operands: c is a sink twice.
TEST_F(Split, LeavesALayerOfTwoRegions) {
  conv("c", mul(conv("a", input()), conv("b", input())));
  expect_untouched(net.graph());
  EXPECT_EQ(reason(net.graph(), "b"), "c: the layer also belongs to another region");
}

TEST_F(Split, SplitsTheOutputOfAnAttentionAndNotItsInput) {
  NetworkBuilder tokens({5, 8});
  const Value first = tokens.linear("first", tokens.input(), 8);
  ir::Linear in_proj;
  in_proj.weight = tokens.parameter("attn.in_proj_weight", {24, 8});
  const Value projected = tokens.add("attn.in_proj", in_proj, {first}, "attn");
  const ir::Slice value_part{2, {16, false}, {24, false}, 1};
  const Value value = tokens.add("attn.v", value_part, {projected}, "attn");
  const Value turned = tokens.add("attn.turn", ir::Permute{{1, 0, 2}}, {value}, "attn");
  const Value context = tokens.add("attn.softmax", ir::Softmax{-1}, {turned}, "attn");
  const Value out = tokens.linear("attn.out_proj", context, 8, "attn");
  tokens.linear("fc", tokens.add("attn.back", ir::Permute{{1, 0, 2}}, {out}, "attn"), 3);
  EXPECT_EQ(reason(tokens.graph(), "first"),
            "attn.in_proj: the input of an attention is not split");
  const ir::Graph graph = after(tokens.graph(), {0.25, Side::kOutput, {}}, 1, 2);
  EXPECT_EQ(layer(graph, "attn.out_proj").weight.value.size(0), 10);
  EXPECT_EQ(layer(graph, "attn.in_proj").weight.value.size(1), 8);
}

TEST_F(Split, IsTheLastPassOfThePreparationWhereItIsOn) {
  conv("b", relu(conv("a", input())));
  ir::Graph graph = net.graph();
  EXPECT_NE(prepare(graph, {}).back().name, "split-channels");
  PreparationOptions options;
  SplittingReport report;
  options.equalization.iterations = 1;
  options.splitting = {0.5, Side::kOutput, [&](const SplittingReport& told) { report = told; }};
  const PassReport last = prepare(graph, options).back();
  EXPECT_EQ(last.name, "split-channels");
  EXPECT_EQ(last.changes, 1);
  EXPECT_EQ(report.channels, 2);
}

}  // namespace
}  // namespace ptq::passes
