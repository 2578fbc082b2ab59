#include <gtest/gtest.h>

#include "support/network_builder.h"

namespace ptq::ir {
namespace {

using ptq::testing::NetworkBuilder;

TEST(ToText, PrintsAttributesQuantizersAndBatchExtents) {
  NetworkBuilder builder({3, 4, 4});
  const ValueId conv = builder.conv("conv", builder.input(), {2, 3, 2, 1, true});
  builder.reshape("flat", builder.add("relu", Relu{}, {conv}), {8});
  Graph graph = builder.graph();
  weighted(graph.nodes.front().op)->weight_quantizer = 4;
  EXPECT_EQ(to_text(graph),
            "input %0\n"
            "%1 = conv[stride=[2, 2], padding=[1, 1], dilation=[1, 1], groups=1] {weight: q4} "
            "conv (%0)\n"
            "%2 = relu relu (%1)\n"
            "%3 = reshape[shape=[N, 8]] flat (%2)\n"
            "output %3\n");
}

TEST(ToText, PrintsArgumentsOfOpaqueOperators) {
  Graph graph;
  graph.input = graph.add_value("input");
  Opaque roll{"aten::roll", "", {InputRef{0}, Dims{{3, false}, {2, true}}, std::monostate{}, 0.5}};
  graph.insert(graph.nodes.end(), {"roll", "", roll, {0}, {}}, {});
  graph.output = 1;
  EXPECT_EQ(to_text(graph),
            "input %0\n"
            "%1 = opaque[schema=aten::roll, overload=, arguments=[#0, [3, 2N], none, 0.5], "
            "result=0] roll (%0)\n"
            "output %1\n");
}

}  // namespace
}  // namespace ptq::ir
