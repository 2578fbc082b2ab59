#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <limits>

#include "quantized_sites.h"

/// Values that stay in float because a quantizer would break them: masks and divisors.
namespace ptq::backends {
namespace {

using testing::NetworkBuilder;
using testing::place;
using testing::Placed;
using ValueId = ir::ValueId;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// softmax(scores + mask), the scores a linear layer's output, and a last layer.
Placed masked(double never) {
  NetworkBuilder net({4, 6});
  at::Tensor values = at::full({4, 5}, never).triu(1);
  const ValueId scores = net.linear("scores", net.input(), 5);
  const ValueId mask = net.add("mask", ir::Constant{{"mask", values}}, {});
  ValueId x = net.add("add", ir::Add{}, {scores, mask});
  x = net.add("softmax", ir::Softmax{2}, {x});
  net.linear("last", x, 3);
  return place(net);
}

TEST(FloatValues, MasksAndWhatTheyAreAddedToHaveNoQuantizer) {
  for (const double never : {-kInfinity, -3.4e38, -65504.0, -1e4}) {
    const std::string sites = masked(never).sites();
    EXPECT_EQ(sites.find("mask"), std::string::npos) << sites;
    EXPECT_EQ(sites.find("add"), std::string::npos) << sites;
  }
}

/// A relative position bias is an activation like others.
TEST(FloatValues, ConstantsOfUsualSizeAreQuantized) {
  EXPECT_NE(masked(-10.0).sites().find("mask"), std::string::npos);
}

TEST(FloatValues, MasksThatAreFilledInHaveNoQuantizerEither) {
  NetworkBuilder net({4, 6});
  const ValueId scores = net.linear("scores", net.input(), 5);
  const ValueId where = net.add("where", ir::Constant{{"where", at::zeros({4, 5}, at::kBool)}}, {});
  const ir::Opaque fill{
      "aten::masked_fill", "Scalar", {ir::InputRef{0}, ir::InputRef{1}, -kInfinity}};
  const ValueId filled = net.add("fill", fill, {scores, where});
  const ValueId bias = net.add("bias", ir::Constant{{"bias", at::full({4, 5}, 0.5)}}, {});
  ValueId x = net.add("add", ir::Add{}, {filled, bias});
  x = net.add("softmax", ir::Softmax{2}, {x});
  net.linear("last", x, 3);
  const std::string sites = place(net).sites();
  EXPECT_EQ(sites.find("fill"), std::string::npos) << sites;
  EXPECT_EQ(sites.find("add"), std::string::npos) << sites;
}

/// What the Div reads second, looking for a quantizer.
bool divisor_is_quantized(const Placed& placed) {
  for (const ir::Node& node : placed.graph.nodes) {
    if (!node.is<ir::Div>()) continue;
    for (const ir::Node& producer : placed.graph.nodes) {
      if (producer.output() == node.inputs[1]) return producer.is<ir::FakeQuantize>();
    }
  }
  return false;
}

TEST(FloatValues, ASumThatDividesKeepsItsSmallNumbers) {
  NetworkBuilder net({4, 6, 6});
  const ValueId x = net.add("relu", ir::Relu{}, {net.conv("conv", net.input(), {})});
  const ValueId mean = net.add("mean", ir::Mean{{2, 3}, true}, {x});
  const ValueId sum = net.add("sum", ir::AddScalar{1e-6}, {mean});
  net.conv("last", net.add("div", ir::Div{}, {x, sum}), {});
  const Placed placed = place(net);
  EXPECT_FALSE(divisor_is_quantized(placed));
  EXPECT_EQ(placed.sites().find("sum"), std::string::npos) << placed.sites();
}

/// Only the division reads the layer's output as it is.
TEST(FloatValues, ALayerThatDividesIsQuantizedForItsOtherReaders) {
  NetworkBuilder net({4, 6, 6});
  const ValueId y = net.conv("scale", net.input(), {});
  const ValueId ratio = net.add("div", ir::Div{}, {net.conv("conv", net.input(), {}), y});
  net.conv("last", net.add("cat", ir::Concat{1}, {y, ratio}), {});
  const Placed placed = place(net);
  EXPECT_FALSE(divisor_is_quantized(placed));
  EXPECT_NE(placed.sites().find("scale:"), std::string::npos) << placed.sites();
}

TEST(FloatValues, TheRootOfAVarianceKeepsItsSmallNumbers) {
  NetworkBuilder net({4, 6, 6});
  const ValueId x = net.conv("conv", net.input(), {});
  const ValueId sum =
      net.add("sum", ir::AddScalar{1e-5}, {net.add("mean", ir::Mean{{1}, true}, {x})});
  const ir::Opaque root{"aten::rsqrt", "", {ir::InputRef{0}}};
  net.conv("last", net.add("mul", ir::Mul{}, {x, net.add("rsqrt", root, {sum})}), {});
  EXPECT_EQ(place(net).sites().find("sum"), std::string::npos);
}

/// The name of the node that makes what the node `reader` reads.
std::string producer_of(const Placed& placed, const std::string& reader, size_t input) {
  ir::Graph graph = placed.graph;
  const ir::Index index(graph);
  for (const ir::Node& node : graph.nodes) {
    if (node.name == reader) return index.producer(node.inputs[input])->name;
  }
  return "";
}

/// A convolution with a relu, divided by what `statistic` makes of it, and another convolution.
template <class Statistic>
std::string normalized(Statistic statistic) {
  NetworkBuilder net({4, 6, 6});
  const ValueId x = net.add("relu", ir::Relu{}, {net.conv("conv", net.input(), {})});
  net.conv("last", net.add("div", ir::Div{}, {x, statistic(net, x)}), {});
  return place(net).sites();
}

TEST(FloatValues, WhatIsDividedByItsOwnMeanKeepsItsSmallNumbers) {
  const std::string sites = normalized([](NetworkBuilder& net, ValueId x) {
    const ValueId mean = net.add("mean", ir::Mean{{2, 3}, true}, {x});
    return net.add("sum", ir::AddScalar{1e-6}, {mean});
  });
  EXPECT_EQ(sites.find("relu"), std::string::npos) << sites;
  EXPECT_NE(sites.find("last"), std::string::npos) << sites;
}

TEST(FloatValues, WhatIsDividedByItsOwnNormKeepsItsSmallNumbers) {
  const std::string sites = normalized([](NetworkBuilder& net, ValueId x) {
    const ir::Opaque square{"aten::pow", "Tensor_Scalar", {ir::InputRef{0}, 2.0}};
    const ValueId mean = net.add("mean", ir::Mean{{1}, true}, {net.add("pow", square, {x})});
    return net.add("sqrt", ir::Opaque{"aten::sqrt", "", {ir::InputRef{0}}}, {mean});
  });
  EXPECT_EQ(sites.find("relu"), std::string::npos) << sites;
}

/// A divisor of one and more makes no number large.
TEST(FloatValues, WhatIsDividedByOneAndItsMeanIsQuantized) {
  const std::string sites = normalized([](NetworkBuilder& net, ValueId x) {
    return net.add("sum", ir::AddScalar{1}, {net.add("mean", ir::Mean{{2, 3}, true}, {x})});
  });
  EXPECT_NE(sites.find("relu"), std::string::npos) << sites;
}

/// The gate is a layer's: it is as small as it is for reasons of its own.
TEST(FloatValues, WhatIsDividedByALayerOfItIsQuantized) {
  const std::string sites =
      normalized([](NetworkBuilder& net, ValueId x) { return net.conv("gate", x, {}); });
  EXPECT_NE(sites.find("relu"), std::string::npos) << sites;
}

/// (x - mean) * rsqrt(mean((x - mean)^2) + eps), and a residual add that reads x as well.
TEST(FloatValues, HandWrittenNormalizationsReadWhatIsNotQuantized) {
  NetworkBuilder net({4, 6, 6});
  const ValueId x = net.conv("conv", net.input(), {});
  const ValueId mean = net.add("mean", ir::Mean{{1}, true}, {x});
  const ValueId centred = net.add("centred", ir::Sub{}, {x, mean});
  const ValueId square = net.add("square", ir::Mul{}, {centred, centred});
  const ValueId variance = net.add("variance", ir::Mean{{1}, true}, {square});
  const ValueId sum = net.add("sum", ir::AddScalar{1e-5}, {variance});
  const ir::Opaque root{"aten::rsqrt", "", {ir::InputRef{0}}};
  const ValueId y = net.add("mul", ir::Mul{}, {centred, net.add("rsqrt", root, {sum})});
  net.add("add", ir::Add{}, {net.conv("last", y, {}), x});
  const Placed placed = place(net);
  EXPECT_EQ(producer_of(placed, "centred", 0), "conv") << placed.sites();
  EXPECT_EQ(producer_of(placed, "mean", 0), "conv") << placed.sites();
  EXPECT_EQ(producer_of(placed, "add", 1), "conv.quant") << placed.sites();
}

/// A gamma correction of (image * std + mean), and a layer.
std::string gamma_sites(const ir::Op& function, ir::ValueId (*before)(NetworkBuilder&, ValueId)) {
  NetworkBuilder net({3, 6, 6});
  const ValueId std = net.add("std", ir::Constant{{"std", at::full({3, 1, 1}, 0.25)}}, {});
  const ValueId mean = net.add("mean", ir::Constant{{"mean", at::full({3, 1, 1}, 0.5)}}, {});
  ValueId x = net.add("scaled", ir::Mul{}, {net.input(), std});
  x = before(net, net.add("shifted", ir::Add{}, {x, mean}));
  net.conv("conv", net.add("function", function, {x}), {});
  return place(net).sites();
}

ValueId as_it_is(NetworkBuilder&, ValueId x) { return x; }
ValueId rectified(NetworkBuilder& net, ValueId x) { return net.add("relu", ir::Relu{}, {x}); }

TEST(FloatValues, WhatAFunctionWithADomainIsComputedFromIsNotRounded) {
  using ir::InputRef;
  for (const ir::Opaque& function :
       {ir::Opaque{"aten::pow", "Tensor_Scalar", {InputRef{0}, 0.45}},
        ir::Opaque{"aten::sqrt", "", {InputRef{0}}}, ir::Opaque{"aten::log1p", "", {InputRef{0}}},
        ir::Opaque{"aten::asin", "", {InputRef{0}}}}) {
    const std::string sites = gamma_sites(function, as_it_is);
    EXPECT_EQ(sites.find("input"), std::string::npos) << function.schema << ": " << sites;
    EXPECT_EQ(sites.find("shifted"), std::string::npos) << function.schema << ": " << sites;
    EXPECT_NE(sites.find("conv"), std::string::npos) << function.schema << ": " << sites;
  }
}

TEST(FloatValues, WhatIsInTheDomainAnywayIsRounded) {
  using ir::InputRef;
  const ir::Opaque square{"aten::pow", "Tensor_Scalar", {InputRef{0}, 2.0}};
  EXPECT_NE(gamma_sites(square, as_it_is).find("input"), std::string::npos);
  const ir::Opaque power_of_two{"aten::pow", "Scalar", {2.0, InputRef{0}}};
  EXPECT_NE(gamma_sites(power_of_two, as_it_is).find("input"), std::string::npos);
  const ir::Opaque gamma{"aten::pow", "Tensor_Scalar", {InputRef{0}, 0.45}};
  EXPECT_NE(gamma_sites(gamma, rectified).find("input"), std::string::npos);
}

/// Sixty sums of a value and itself are 2^60 ways through the graph.
TEST(FloatValues, DomainsAreFoundInTimeWhereWaysAreMany) {
  NetworkBuilder net({3, 6, 6});
  ValueId x = net.add("relu", ir::Relu{}, {net.conv("first", net.input(), {})});
  for (int i = 0; i < 60; ++i) {
    x = net.add("half" + std::to_string(i), ir::MulScalar{0.5}, {x});
    x = net.add("sum" + std::to_string(i), ir::Add{}, {x, x});
  }
  const ir::Opaque root{"aten::sqrt", "", {ir::InputRef{0}}};
  net.conv("last", net.add("sqrt", root, {x}), {});
  EXPECT_FALSE(place(net).sites().empty());
}

/// What else reads the sum takes it rounded; the sum itself shares no scale.
TEST(FloatValues, ASumThatAFunctionWithADomainReadsSharesNoScale) {
  NetworkBuilder net({3, 6, 6});
  const ValueId mean = net.add("mean", ir::Constant{{"mean", at::full({3, 1, 1}, 0.5)}}, {});
  const ValueId scaled = net.add("scaled", ir::MulScalar{0.25}, {net.input()});
  const ValueId x = net.add("shifted", ir::Add{}, {scaled, mean});
  const ir::Opaque root{"aten::sqrt", "", {ir::InputRef{0}}};
  const ValueId both = net.add("cat", ir::Concat{1}, {net.add("sqrt", root, {x}), x});
  net.conv("conv", both, {});
  const std::string sites = place(net).sites();
  EXPECT_EQ(sites.find("input"), std::string::npos) << sites;
  EXPECT_EQ(sites.find("scaled"), std::string::npos) << sites;
  EXPECT_NE(sites.find("shifted"), std::string::npos) << sites;
}

}  // namespace
}  // namespace ptq::backends
