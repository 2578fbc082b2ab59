#pragma once

#include <gtest/gtest.h>

#include "passes/pass.h"
#include "support/network_builder.h"
#include "support/run_graph.h"

namespace ptq::passes::testing {

using ptq::testing::NetworkBuilder;

/// The graph after one run of `pass`: verified, of the same function within float rounding, and a
/// second run changes nothing.
inline ir::Graph after(const Pass& pass, const ir::Graph& before, int expected_changes) {
  ir::Graph graph = before;
  EXPECT_EQ(pass.run(graph), expected_changes);
  ir::verify(graph);
  const at::Tensor images = ptq::testing::images_for(before, 3);
  EXPECT_LT(ptq::testing::relative_difference(ptq::testing::run_float(graph, images),
                                              ptq::testing::run_float(before, images)),
            1e-5);
  const std::string text = ir::to_text(graph);
  EXPECT_EQ(pass.run(graph), 0);
  EXPECT_EQ(ir::to_text(graph), text);
  return graph;
}

inline void expect_untouched(const Pass& pass, const ir::Graph& before) {
  EXPECT_EQ(ir::to_text(after(pass, before, 0)), ir::to_text(before));
}

/// Operation words in order: "conv relu".
inline std::string ops(const ir::Graph& graph) {
  std::string words;
  for (const ir::Node& node : graph.nodes) {
    if (!words.empty()) words += " ";
    words += ir::op_name(node.op);
  }
  return words;
}

}  // namespace ptq::passes::testing
