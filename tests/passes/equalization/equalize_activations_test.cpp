#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string_view>

#include "passes/pass_expectations.h"
#include "ptq/backends/placement.h"
#include "ptq/base/error.h"
#include "ptq/passes/equalize.h"
#include "support/batches.h"

namespace ptq::passes {
namespace {

using ptq::testing::batches_of;
using ptq::testing::images_for;
using ptq::testing::relative_difference;
using ptq::testing::run_float;
using testing::NetworkBuilder;
using testing::ops;

const ir::Node& node_of(const ir::Graph& graph, std::string_view name) {
  for (const ir::Node& node : graph.nodes) {
    if (node.name == name) return node;
  }
  throw std::out_of_range(std::string(name));
}

const at::Tensor& weight(const ir::Graph& graph, std::string_view name) {
  return ir::weighted(node_of(graph, name).op)->weight.value;
}

ir::Graph chain() {
  NetworkBuilder builder({3, 8, 8});
  const auto a =
      builder.add("relu", ir::Relu{}, {builder.conv("a", builder.input(), {6, 3, 1, 1, true})});
  const auto b = builder.conv("b", a, {6, 3, 1, 6, true});
  const auto pool = builder.add("pool", ir::AdaptiveAvgPool{{1, 1}}, {b});
  builder.linear("fc", builder.reshape("flat", pool, {6}), 5);
  return builder.graph();
}

/// Largest |relu| of each channel, by the definition.
at::Tensor largest_relu(const ir::Graph& graph, const std::vector<at::Tensor>& images) {
  ir::Graph head = graph;
  head.output = node_of(graph, "relu").output();
  at::Tensor largest;
  for (const at::Tensor& batch : images) {
    const at::Tensor found = run_float(head, batch).abs().amax({0, 2, 3});
    largest = largest.defined() ? largest.maximum(found) : found;
  }
  return largest;
}

class EqualizeActivations : public ::testing::TestWithParam<bool> {
 protected:
  ActivationEqualizationOptions options(ActivationEqualization mode, double alpha = 0.5) const {
    ActivationEqualizationOptions result;
    result.mode = mode;
    result.alpha = alpha;
    result.execution = {2, GetParam()};
    return result;
  }

  const ir::Graph before_ = chain();
  const std::vector<at::Tensor> images_ = {images_for(before_, 5), images_for(before_, 2).mul(3)};
};

TEST_P(EqualizeActivations, MovesScaleIntoTheLayerBefore) {
  ir::Graph graph = before_;
  const auto report =
      equalize_activations(graph, options(ActivationEqualization::kGraph), batches_of(images_));
  EXPECT_EQ(report.regions.size(), 1U);
  EXPECT_EQ(report.layers, 2);
  EXPECT_EQ(ops(graph), ops(before_));
  EXPECT_LT(relative_difference(run_float(graph, images_[0]), run_float(before_, images_[0])),
            1e-5);
  const at::Tensor activation = largest_relu(before_, images_);
  const at::Tensor reads = weight(before_, "b").abs().amax({1, 2, 3});
  const at::Tensor factors = reads.sqrt().div(activation.sqrt());
  const at::Tensor expected = weight(before_, "a").mul(factors.view({6, 1, 1, 1}));
  EXPECT_LT(relative_difference(weight(graph, "a"), expected), 1e-5);
  const at::Tensor after = largest_relu(graph, images_);
  EXPECT_LT(relative_difference(after, weight(graph, "b").abs().amax({1, 2, 3})), 1e-5);
}

TEST_P(EqualizeActivations, SkipsARegionFromConvolutionToLinear) {
  ir::Graph graph = before_;
  const auto report =
      equalize_activations(graph, options(ActivationEqualization::kGraph), batches_of(images_));
  EXPECT_TRUE(at::equal(weight(graph, "fc"), weight(before_, "fc")));
  EXPECT_EQ(report.rejected.back().source, "b");
  EXPECT_EQ(report.rejected.back().reason,
            "convolutions and linear layers have their channels at different places");
}

/// Behind a second concat a layer reads the region's channels, and others.
TEST_P(EqualizeActivations, SkipsARegionThatIsAPartOfWhatALayerReads) {
  NetworkBuilder builder({3, 6, 6});
  const auto conv = [&](const char* name, ir::ValueId in) {
    return builder.conv(name, in, {2, 1, 1, 1, true});
  };
  const auto both =
      builder.add("both", ir::Concat{1}, {conv("a", builder.input()), conv("b", builder.input())});
  const auto relu = builder.add("relu", ir::Relu{}, {both});
  const auto more = builder.add("more", ir::Concat{1}, {relu, conv("c", builder.input())});
  const auto pool = builder.add("pool", ir::AdaptiveAvgPool{{1, 1}}, {conv("reader", more)});
  builder.linear("fc", builder.reshape("flat", pool, {2}), 4);
  const ir::Graph before = builder.graph();
  ir::Graph graph = before;
  const at::Tensor images = images_for(graph, 2);
  const auto report =
      equalize_activations(graph, options(ActivationEqualization::kGraph), batches_of({images}));
  // a, b and c are one region, too.
  ASSERT_EQ(report.regions.size(), 1U);
  EXPECT_EQ(report.regions[0].channels, 6);
  const auto part = std::find_if(report.rejected.begin(), report.rejected.end(),
                                 [](const RejectedRegion& region) { return region.source == "a"; });
  ASSERT_NE(part, report.rejected.end());
  EXPECT_EQ(part->at, "reader");
  EXPECT_EQ(part->reason, "a layer reads more channels than the region has");
  EXPECT_LT(relative_difference(run_float(graph, images), run_float(before, images)), 1e-5);
}

TEST_P(EqualizeActivations, PutsAProductBeforeEveryLayer) {
  ir::Graph graph = before_;
  const auto report = equalize_activations(graph, options(ActivationEqualization::kLayerwise, 0.25),
                                           batches_of(images_));
  EXPECT_EQ(report.regions.size(), 3U);
  EXPECT_EQ(
      ops(graph),
      "constant mul conv relu constant mul conv adaptive_avg_pool reshape constant mul linear");
  EXPECT_LT(relative_difference(run_float(graph, images_[0]), run_float(before_, images_[0])),
            1e-5);
  const at::Tensor reads = weight(before_, "b").abs().amax({1, 2, 3});
  const at::Tensor factors = reads.pow(0.75).div(largest_relu(before_, images_).pow(0.25));
  const ir::Node& constant = node_of(graph, "b.input_factors");
  EXPECT_LT(relative_difference(constant.as<ir::Constant>()->value.value.flatten(), factors), 1e-5);
  EXPECT_LT(
      relative_difference(weight(graph, "b"), weight(before_, "b").div(factors.view({6, 1, 1, 1}))),
      1e-5);
}

TEST_P(EqualizeActivations, RefusesAnEmptySetAndValuesThatAreNotFinite) {
  ir::Graph graph = before_;
  EXPECT_THROW(equalize_activations(graph, options(ActivationEqualization::kGraph), batches_of({})),
               DataError);
  const at::Tensor infinite = at::full({1, 3, 8, 8}, std::numeric_limits<float>::infinity());
  try {
    equalize_activations(graph, options(ActivationEqualization::kLayerwise),
                         batches_of({infinite}));
    FAIL() << "equalized";
  } catch (const QuantizationError& error) {
    EXPECT_STREQ(error.what(), "a: its input is not finite on the calibration images");
  }
  EXPECT_EQ(ir::to_text(graph), ir::to_text(before_));
}

TEST_P(EqualizeActivations, ScalesChannelsThatComeLast) {
  NetworkBuilder builder({5, 8});
  const auto norm = builder.layer_norm("norm", builder.input());
  builder.reshape("flat", builder.linear("fc", norm, 4), {20});
  const ir::Graph before = builder.graph();
  for (const auto mode : {ActivationEqualization::kGraph, ActivationEqualization::kLayerwise}) {
    ir::Graph graph = before;
    const at::Tensor images = images_for(before, 3);
    EXPECT_EQ(equalize_activations(graph, options(mode), batches_of({images})).regions.size(), 1U);
    EXPECT_LT(relative_difference(run_float(graph, images), run_float(before, images)), 1e-5);
    EXPECT_FALSE(at::equal(weight(graph, "fc"), weight(before, "fc")));
  }
}

/// In the reference fx does not see layers behind a product (section 10, row 18).
TEST_P(EqualizeActivations, LeavesLayersThatAreQuantizedBehindTheirProduct) {
  ir::Graph equalized = before_;
  equalize_activations(equalized, options(ActivationEqualization::kLayerwise), batches_of(images_));
  for (const auto backend : {backends::Backend::kFx, backends::Backend::kLayerwise}) {
    ir::Graph graph = backends::place(backend, equalized, {}).graph;
    const ir::Index index(graph);
    for (const ir::Node& node : graph.nodes) {
      const ir::Weighted* layer = ir::weighted(node.op);
      if (layer == nullptr) continue;
      EXPECT_NE(layer->weight_quantizer, ir::kNoQuantizer) << node.name;
      const ir::Node& above = *index.producer(node.inputs[0]);
      ASSERT_TRUE(above.is<ir::FakeQuantize>()) << node.name;
      EXPECT_TRUE(index.producer(above.inputs[0])->is<ir::Mul>()) << node.name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(CompiledAndPlain, EqualizeActivations, ::testing::Bool());

}  // namespace
}  // namespace ptq::passes
