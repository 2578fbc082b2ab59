#include "passes/equalization/equalization_regions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/network_builder.h"

namespace ptq::passes {
namespace {

using ptq::testing::NetworkBuilder;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// "a@0 b@4 -> c[0,8)@0".
std::string text_of(const EqualizationRegion& region) {
  std::string text;
  for (const EqualizationSource& source : region.sources) {
    text += source.node->name + "@" + std::to_string(source.offset) + " ";
  }
  text += "->";
  for (const EqualizationSink& sink : region.sinks) {
    text += " " + sink.node->name + "[" + std::to_string(sink.begin) + "," +
            std::to_string(sink.end) + ")@" + std::to_string(sink.offset);
  }
  return text;
}

std::vector<std::string> regions(ir::Graph graph) {
  std::vector<std::string> texts;
  for (const auto& region : find_equalization_regions(graph).regions) {
    texts.push_back(text_of(region));
  }
  return texts;
}

std::string reason(ir::Graph graph, const std::string& source) {
  for (const RejectedRegion& rejected : find_equalization_regions(graph).rejected) {
    if (rejected.source == source) return rejected.at + ": " + rejected.reason;
  }
  return "";
}

class Regions : public ::testing::Test {
 protected:
  using Value = ir::ValueId;

  Value conv(const std::string& name, Value in, int64_t out = 4, int64_t groups = 1) {
    return net.conv(name, in, {out, 3, 1, groups, true});
  }
  Value relu(Value in) { return net.add("relu", ir::Relu{}, {in}); }
  Value sigmoid(Value in) { return net.add("sigmoid", ir::Sigmoid{}, {in}); }
  Value pool(Value in) {
    return net.add("pool", ir::MaxPool{{3, 3}, {1, 1}, {1, 1}, {1, 1}, false}, {in});
  }
  Value cat(const std::string& name, const std::vector<Value>& in) {
    return net.add(name, ir::Concat{1}, in);
  }
  Value sum(Value a, Value b) { return net.add("sum", ir::Add{}, {a, b}); }
  Value input() const { return net.input(); }
  std::vector<std::string> found() const { return regions(net.graph()); }
  std::string why(const std::string& source) const { return reason(net.graph(), source); }

  NetworkBuilder net{{3, 8, 8}};
};

TEST_F(Regions, JoinAChain) {
  conv("b", pool(relu(conv("a", input()))));
  EXPECT_THAT(found(), ElementsAre("a@0 -> b[0,4)@0"));
  EXPECT_EQ(why("b"), "b: its output leaves the network");
}

TEST_F(Regions, HoldADepthwiseConvolutionOnBothSides) {
  conv("c", relu(conv("b", relu(conv("a", input())), 4, 4)));
  EXPECT_THAT(found(), ElementsAre("a@0 -> b[0,4)@0", "b@0 -> c[0,4)@0"));
}

TEST_F(Regions, StopAtAGroupedConvolution) {
  conv("b", relu(conv("a", input())), 4, 2);
  EXPECT_THAT(found(), IsEmpty());
  EXPECT_EQ(why("a"), "b: a grouped convolution cannot divide its input channels");
}

TEST_F(Regions, StopAtWhatDoesNotPassFactors) {
  conv("b", sigmoid(conv("a", input())));
  EXPECT_THAT(found(), IsEmpty());
  EXPECT_EQ(why("a"), "sigmoid: it does not pass factors of channels through");
}

TEST_F(Regions, PassRelu6AndStopAtPermutations) {
  const auto clipped = net.add("clip", ir::Relu6{}, {conv("a", input())});
  const auto turned = net.add("turn", ir::Permute{{0, 1, 3, 2}}, {conv("b", clipped)});
  conv("c", turned);
  EXPECT_THAT(found(), ElementsAre("a@0 -> b[0,4)@0"));
  EXPECT_EQ(why("b"), "turn: it does not pass factors of channels through");
}

TEST_F(Regions, EndAtClampsOnRequest) {
  conv("c", relu(conv("b", net.add("clip", ir::Relu6{}, {conv("a", input())}))));
  ir::Graph graph = net.graph();
  const EqualizationRegions ended = find_equalization_regions(graph, Clamps::kEnd);
  ASSERT_EQ(ended.regions.size(), 1U);
  EXPECT_EQ(text_of(ended.regions.front()), "b@0 -> c[0,4)@0");
  EXPECT_EQ(ended.rejected.front().at, "clip");
  EXPECT_EQ(regions(graph).size(), 2U);
}

TEST_F(Regions, PassZerosAroundAndNothingElse) {
  const auto padding = [](double value) {
    const ir::Dims below_and_right{{0, false}, {1, false}, {0, false}, {1, false}};
    return ir::Opaque{"aten::constant_pad_nd", "", {ir::InputRef{0}, below_and_right, value}, 0};
  };
  const auto padded = net.add("zeros", padding(0), {relu(conv("a", input()))});
  conv("c", net.add("ones", padding(1), {conv("b", padded)}));
  EXPECT_THAT(found(), ElementsAre("a@0 -> b[0,4)@0"));
  EXPECT_EQ(why("b"), "ones: it does not pass factors of channels through");
}

TEST_F(Regions, StopAtNormalizations) {
  conv("c", net.batch_norm("norm", conv("a", input())));
  EXPECT_THAT(found(), ElementsAre("norm@0 -> c[0,4)@0"));
  EXPECT_EQ(why("a"), "norm: it does not pass factors of channels through");
}

TEST_F(Regions, HoldAllThatMeetsAtAnAdd) {
  const auto stem = relu(conv("stem", input()));
  const auto b = conv("b", relu(conv("a", stem)));
  const auto out = relu(sum(b, stem));
  conv("d", out), conv("c", out);
  // The other reader leads nowhere: without it the graph's output is d's alone.
  ir::Graph graph = net.graph();
  EXPECT_EQ(reason(graph, "c"), "c: its output leaves the network");
  EXPECT_THAT(regions(graph),
              ElementsAre("b@0 stem@0 -> a[0,4)@0 c[0,4)@0 d[0,4)@0", "a@0 -> b[0,4)@0"));
}

TEST_F(Regions, StopAtAnAddWithTheImages) {
  NetworkBuilder other({4, 8, 8});
  const auto a = other.conv("a", other.input(), {});
  other.conv("b", other.add("sum", ir::Add{}, {a, other.input()}), {});
  EXPECT_EQ(reason(other.graph(), "a"), "images: the images cannot be scaled");
}

TEST_F(Regions, StopAtAnAddOfAConstant) {
  const auto constant = net.add("shift", ir::Constant{net.parameter("shift", {1, 4, 8, 8})}, {});
  conv("b", sum(conv("a", input()), constant));
  EXPECT_EQ(why("a"), "shift: it does not pass factors of channels through");
}

TEST_F(Regions, StopAtAnAddOfANumber) {
  conv("b", net.add("shift", ir::AddScalar{3}, {conv("a", input())}));
  EXPECT_EQ(why("a"), "shift: it does not pass factors of channels through");
}

TEST_F(Regions, StartAnewAtTheFirstConcat) {
  const auto a = conv("a", input(), 2), b = conv("b", input(), 3);
  const auto joined = cat("cat", {relu(a), pool(b)});
  conv("c", joined, 4);
  EXPECT_THAT(found(), ElementsAre("a@0 b@2 -> c[0,5)@0"));
}

TEST_F(Regions, ShareChannelsOfAConcatAtAnAdd) {
  const auto a = conv("a", input(), 2), b = conv("b", input(), 2), c = conv("c", input(), 3);
  conv("d", cat("cat", {sum(a, b), c}));
  EXPECT_THAT(found(), ElementsAre("a@0 b@0 c@2 -> d[0,5)@0"));
}

TEST_F(Regions, ReadAPartBehindASecondConcat) {
  const auto a = conv("a", input(), 2), b = conv("b", input(), 3);
  const auto first = cat("first", {a, b});
  const auto c = conv("c", first, 2);
  const auto second = cat("second", {c, pool(first)});
  conv("d", relu(second));
  EXPECT_THAT(found(),
              ElementsAre("a@0 b@2 -> c[0,5)@0 d[2,7)@0", "a@2 b@4 c@0 -> c[0,5)@2 d[0,7)@0"));
}

TEST_F(Regions, ReadTwoPartsBehindASecondConcat) {
  const auto a = conv("a", input(), 2), b = conv("b", input(), 3);
  const auto c = conv("c", cat("first", {a, b}), 4);
  conv("d", cat("second", {c, b, a}));
  EXPECT_THAT(found(), ElementsAre("a@0 b@2 -> c[0,5)@0 d[7,9)@0 d[4,7)@2",
                                   "a@7 b@4 c@0 -> c[2,5)@4 c[0,2)@7 d[0,9)@0"));
}

/// Row 37: the reference drops the sigmoid and changes the network.
TEST_F(Regions, StopAtAnythingBehindASecondConcat) {
  const auto a = conv("a", input(), 2), b = conv("b", input(), 3);
  const auto first = cat("first", {a, b});
  const auto second = cat("second", {pool(first), conv("c", input(), 2)});
  const auto gate = sigmoid(second);
  sum(conv("d", second, 7), gate);
  EXPECT_THAT(found(), IsEmpty());
  EXPECT_EQ(why("a"), "sigmoid: it does not pass factors of channels through");
}

TEST_F(Regions, StopAtAConcatThatRepeatsChannels) {
  const auto a = conv("a", input(), 2);
  conv("b", cat("cat", {a, a}));
  EXPECT_EQ(why("a"), "cat: it repeats channels");
  const auto c = conv("c", input(), 2);
  conv("d", cat("cat2", {relu(c), pool(c)}));
  EXPECT_EQ(why("c"), "relu: its channels would be scaled in two ways");
}

TEST_F(Regions, StopAtAConcatOverPositions) {
  const auto joined = net.add("cat", ir::Concat{2}, {conv("a", input()), conv("b", input())});
  conv("c", joined);
  EXPECT_EQ(why("a"), "cat: it does not join channels");
}

TEST_F(Regions, PassAGate) {
  const auto a = relu(conv("a", input()));
  const auto squeezed = net.add("squeeze", ir::AdaptiveAvgPool{{1, 1}}, {a});
  const auto gate = sigmoid(net.conv("gate", squeezed, {4, 1, 1, 1, true}));
  conv("b", net.add("mul", ir::Mul{}, {gate, a}));
  EXPECT_THAT(found(), ElementsAre("a@0 -> b[0,4)@0 gate[0,4)@0"));
}

TEST_F(Regions, StopAtAProductWithItself) {
  const auto a = conv("a", input());
  conv("b", net.add("mul", ir::Mul{}, {a, relu(a)}));
  EXPECT_EQ(why("a"), "mul: both operands of the product would be scaled");
}

TEST_F(Regions, StopAtAProductReachedFromBelow) {
  const auto a = conv("a", input());
  const auto product = net.add("mul", ir::Mul{}, {conv("b", input()), conv("c", input())});
  conv("d", sum(a, product));
  EXPECT_EQ(why("a"), "mul: it does not pass factors of channels through");
}

TEST_F(Regions, PassAFlattenThatKeepsChannelsApart) {
  const auto pooled = net.add("pool", ir::Mean{{2, 3}, true}, {conv("a", input())});
  net.linear("fc", net.reshape("flat", pooled, {4}), 5);
  EXPECT_THAT(found(), ElementsAre("a@0 -> fc[0,4)@0"));
}

TEST_F(Regions, StopAtAFlattenThatMixesThem) {
  net.linear("fc", net.reshape("flat", conv("a", input()), {256}), 5);
  EXPECT_EQ(why("a"), "flat: it does not pass factors of channels through");
}

TEST_F(Regions, PassASelectionOfPositionsNotOfChannels) {
  NetworkBuilder tokens({5, 6});
  const auto norm = tokens.layer_norm("norm", tokens.input());
  const auto first = tokens.add("first", ir::Select{1, {0, false}}, {norm});
  tokens.linear("fc", first, 3);
  EXPECT_THAT(regions(tokens.graph()), ElementsAre("norm@0 -> fc[0,6)@0"));
  const auto half = net.add("half", ir::Slice{1, {0, false}, {2, false}, 1}, {conv("a", input())});
  conv("b", half);
  EXPECT_EQ(why("a"), "half: it does not pass factors of channels through");
}

/// The input projection reads, the output projection makes; permutations of its own are its.
TEST_F(Regions, TakeAnAttentionForItsProjections) {
  NetworkBuilder tokens({5, 8});
  const auto norm = tokens.layer_norm("norm", tokens.input());
  const auto turned = tokens.add("attn.turn", ir::Permute{{1, 0, 2}}, {norm}, "attn");
  ir::Linear in_proj;
  in_proj.weight = tokens.parameter("attn.in_proj_weight", {24, 8});
  const auto projected = tokens.add("attn.in_proj", in_proj, {turned}, "attn");
  const ir::Slice value_part{2, {16, false}, {24, false}, 1};
  const auto value = tokens.add("attn.v", value_part, {projected}, "attn");
  const auto context = tokens.add("attn.softmax", ir::Softmax{-1}, {value}, "attn");
  const auto out = tokens.linear("attn.out_proj", context, 8, "attn");
  const auto back = tokens.add("attn.back", ir::Permute{{1, 0, 2}}, {out}, "attn");
  tokens.linear("fc", back, 3);
  EXPECT_THAT(regions(tokens.graph()),
              ElementsAre("norm@0 -> attn.in_proj[0,8)@0", "attn.out_proj@0 -> fc[0,8)@0"));
}

}  // namespace
}  // namespace ptq::passes
