#include "runtime/plan/plan.h"

#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <mutex>

#include "base/execution_error.h"
#include "ptq/runtime/executor.h"
#include "support/plan_cases.h"

namespace ptq::runtime {
namespace {

using testing::GraphBuilder;
using testing::PlanCase;

at::Tensor images_for(const ir::Graph& graph, int64_t count, unsigned seed = 5) {
  std::vector<int64_t> sizes = graph.values[static_cast<size_t>(graph.input)].shape.size() == 0
                                   ? std::vector<int64_t>{}
                                   : ir::at_batch(graph.values[0].shape, count);
  return testing::normals(sizes, 1, seed);
}

at::Tensor interpret(NetworkView network, Numerics numerics, const at::Tensor& images) {
  return make_interpreter(network, {numerics, {}, 1})->run(images);
}

at::Tensor run_plan(NetworkView network, Numerics numerics, const at::Tensor& images, int threads,
                    int64_t micro_batch, Arithmetic arithmetic = Arithmetic::kFloat) {
  ExecutorOptions options{numerics, {}, threads};
  options.arithmetic = arithmetic;
  return make_plan(network, options, micro_batch)->run(images);
}

double relative_difference(const at::Tensor& actual, const at::Tensor& expected) {
  return actual.sub(expected).abs().max().item<double>() /
         std::max(1e-6, expected.abs().max().item<double>());
}

class PlanCases : public ::testing::TestWithParam<PlanCase> {
 protected:
  void SetUp() override {
    GraphBuilder builder(GetParam().image);
    graph_ = builder.finish(GetParam().build(builder));
  }
  ir::Graph graph_;
};

TEST_P(PlanCases, FloatEqualsInterpreter) {
  for (const int64_t count : {1, 3, 7}) {
    const at::Tensor images = images_for(graph_, count);
    const at::Tensor expected = interpret(graph_, Numerics::kFloat, images);
    for (const int64_t micro_batch : {1, 2, 4}) {
      const at::Tensor actual = run_plan(graph_, Numerics::kFloat, images, 1, micro_batch);
      EXPECT_LT(relative_difference(actual, expected), 1e-5)
          << count << " images, " << micro_batch << " at once";
    }
  }
}

TEST_P(PlanCases, ResultsDoNotDependOnThreadsOrBatch) {
  const at::Tensor images = images_for(graph_, 7);
  const at::Tensor one = run_plan(graph_, Numerics::kFloat, images, 1, 2);
  const at::Tensor two = run_plan(graph_, Numerics::kFloat, images, 2, 2);
  EXPECT_TRUE(at::equal(one, two));
  const at::Tensor last = run_plan(graph_, Numerics::kFloat, images.narrow(0, 6, 1), 1, 2);
  EXPECT_TRUE(at::equal(last, one.narrow(0, 6, 1)));
}

INSTANTIATE_TEST_SUITE_P(Operations, PlanCases, ::testing::ValuesIn(testing::plan_cases()),
                         [](const auto& instance) { return instance.param.name; });

/// Integer images and weights and scales that are powers of two: every sum is exact whatever its
/// order, so that codes must be equal, ties included.
class ExactPlan : public ::testing::Test {
 protected:
  GraphBuilder builder_{{4, 8, 8}, GraphBuilder::Weights::kInteger};

  void expect_equal_codes(ir::ValueId output) {
    const ir::Graph graph = builder_.finish(output);
    for (const int64_t count : {1, 3, 7}) {
      const at::Tensor images = testing::integers({count, 4, 8, 8}, 3, 11);
      const at::Tensor expected = interpret(builder_, Numerics::kQuantized, images);
      EXPECT_GT(expected.abs().max().item<float>(), 0);
      for (const int threads : {1, 2}) {
        for (const int64_t micro_batch : {1, 2}) {
          for (const Arithmetic arithmetic : {Arithmetic::kFloat, Arithmetic::kInteger}) {
            EXPECT_TRUE(at::equal(
                run_plan(builder_, Numerics::kQuantized, images, threads, micro_batch, arithmetic),
                expected))
                << (arithmetic == Arithmetic::kInteger ? "on integers" : "on floats");
          }
        }
      }
    }
  }

  ir::ValueId quantized_conv(ir::ValueId in, int64_t channels,
                             GraphBuilder::ConvOptions options = {}) {
    const ir::ValueId conv = builder_.conv(in, channels, options);
    builder_.quantize_weight(conv, 0.5);
    return conv;
  }
};

TEST_F(ExactPlan, QuantizesTheInputAndTheOutput) {
  const auto in = builder_.fake_quantize(builder_.input(), 0.5);
  expect_equal_codes(builder_.fake_quantize(quantized_conv(in, 8), 2));
}

TEST_F(ExactPlan, FusesConvReluFakeQuantize) {
  const auto in = builder_.fake_quantize(builder_.input(), 0.5);
  const auto relu = builder_.add(ir::Relu{}, {quantized_conv(in, 8)});
  expect_equal_codes(builder_.fake_quantize(relu, 2, false));
}

TEST_F(ExactPlan, FusesTwoFakeQuantizesAroundAResidualAdd) {
  const auto in = builder_.fake_quantize(builder_.input(), 2);
  const auto a = builder_.fake_quantize(quantized_conv(in, 4), 4);
  const auto sum = builder_.add(ir::Relu{}, {builder_.add(ir::Add{}, {a, in})});
  const auto out = builder_.fake_quantize(sum, 8, false);
  expect_equal_codes(builder_.fake_quantize(quantized_conv(out, 6, {1, 1, 0, 1, 1, true}), 16));
}

TEST_F(ExactPlan, TwoFakeQuantizesInARowClampTwice) {
  const auto first = builder_.fake_quantize(quantized_conv(builder_.input(), 8), 2, true, 6);
  expect_equal_codes(builder_.fake_quantize(first, 4, true, 3));
}

TEST_F(ExactPlan, ServesSeveralReadersOfOneValue) {
  const auto x = quantized_conv(builder_.input(), 8);
  const auto fine = builder_.fake_quantize(x, 0.5), coarse = builder_.fake_quantize(x, 4);
  expect_equal_codes(builder_.add(ir::Concat{1}, {quantized_conv(fine, 4), coarse, fine, x}));
}

TEST_F(ExactPlan, SharesOneQuantizerBetweenBranches) {
  const auto shared = builder_.activation_quantizer(4);
  const auto a = builder_.fake_quantize_with(quantized_conv(builder_.input(), 4), shared);
  const auto b = builder_.fake_quantize_with(builder_.input(), shared);
  expect_equal_codes(builder_.fake_quantize(builder_.add(ir::Add{}, {a, b}), 4));
}

TEST_F(ExactPlan, DepthwiseAndGroupedConvolutions) {
  auto x = builder_.fake_quantize(quantized_conv(builder_.input(), 16), 4);
  x = builder_.fake_quantize(quantized_conv(x, 16, {3, 2, 1, 16, 1, true}), 8);
  expect_equal_codes(builder_.fake_quantize(quantized_conv(x, 16, {3, 1, 1, 4, 1, false}), 64));
}

TEST_F(ExactPlan, LinearPoolsAndReshapes) {
  auto x = builder_.fake_quantize(quantized_conv(builder_.input(), 8), 4);
  x = builder_.add(ir::MaxPool{{2, 2}, {2, 2}, {0, 0}, {1, 1}, false}, {x});
  x = builder_.add(ir::AdaptiveAvgPool{{1, 1}}, {x});
  x = builder_.flatten(builder_.fake_quantize(x, 1));
  const auto linear = builder_.linear(x, 10);
  builder_.quantize_weight(linear, 0.5);
  expect_equal_codes(builder_.fake_quantize(linear, 4));
}

/// What an observer saw of one run, by node: how many elements, and their sum.
struct Seen {
  std::map<std::string, int64_t> elements;
  std::map<std::string, double> sums;
};

Seen observe(NetworkView network, bool in_plan, const at::Tensor& images, Numerics numerics,
             int64_t micro_batch) {
  Seen seen;
  std::mutex mutex;
  ExecutorOptions options{numerics, {}, in_plan ? 2 : 1};
  options.observer = [&](const ir::Node& node, const at::Tensor& value, int lane) {
    const std::lock_guard<std::mutex> lock(mutex);
    EXPECT_LT(lane, 2);
    EXPECT_TRUE(value.is_non_overlapping_and_dense());
    seen.elements[node.name] += value.numel();
    seen.sums[node.name] += value.sum().item<double>();
  };
  const auto executor =
      in_plan ? make_plan(network, options, micro_batch) : make_interpreter(network, options);
  executor->run(images);
  return seen;
}

ir::Graph observed_graph(GraphBuilder& builder) {
  auto in = builder.fake_quantize(builder.input(), 0.1);
  auto a = builder.add(ir::Relu{}, {builder.conv(in, 4)});
  a = builder.fake_quantize(builder.fake_quantize(a, 0.1), 0.2);
  const auto b = builder.fake_quantize(builder.constant(testing::normals({4, 1, 1}, 1, 3)), 0.1);
  const auto sum = builder.add(ir::Add{}, {a, b});
  const auto turned = builder.add(ir::Permute{{1, 0, 2, 3}}, {sum});
  const ir::Dims rows{{4, true}, {36, false}};
  const auto quantized = builder.fake_quantize(
      builder.add(ir::Reshape{rows}, {builder.fake_quantize(turned, 0.1)}), 0.1);
  const ir::Dims image{{4, false}, {1, true}, {6, false}, {6, false}};
  const auto back =
      builder.add(ir::Permute{{1, 0, 2, 3}}, {builder.add(ir::Reshape{image}, {quantized})});
  return builder.finish(builder.fake_quantize(builder.flatten(back), 0.1));
}

TEST(PlanObserver, SeesEachElementExactlyOnce) {
  GraphBuilder builder({4, 6, 6});
  const ir::Graph graph = observed_graph(builder);
  const at::Tensor images = images_for(graph, 7);
  for (const Numerics numerics : {Numerics::kFloat, Numerics::kQuantized}) {
    const Seen expected = observe(builder, false, images, numerics, 0);
    for (const int64_t micro_batch : {1, 2, 4}) {
      const Seen seen = observe(builder, true, images, numerics, micro_batch);
      EXPECT_EQ(seen.elements, expected.elements) << micro_batch << " at once";
      for (const auto& [name, sum] : expected.sums) {
        EXPECT_NEAR(seen.sums.at(name), sum, 1e-3 * std::max(1.0, std::abs(sum))) << name;
      }
    }
  }
}

TEST(PlanObserver, SeesTheInputsOfTheNodesThatArePicked) {
  GraphBuilder builder({4, 6, 6});
  const auto x = builder.fake_quantize(builder.conv(builder.input(), 4), 0.5);
  const ir::Graph graph = builder.finish(builder.add(ir::Relu{}, {builder.conv(x, 5)}));
  const at::Tensor images = images_for(graph, 3);
  for (const bool in_plan : {false, true}) {
    std::vector<std::string> names;
    at::Tensor last;
    ExecutorOptions options;
    options.observes = [](const ir::Node& node) { return node.is<ir::Conv>(); };
    options.observer = [&](const ir::Node& node, const at::Tensor& value, int) {
      names.push_back(node.name);
      last = value.clone();
    };
    const auto executor =
        in_plan ? make_plan(builder, options) : make_interpreter(builder, options);
    executor->run(images);
    EXPECT_EQ(names.size(), in_plan ? 6U : 2U);
    EXPECT_EQ(names.back(), "conv_1");
    // What the second convolution reads is quantized.
    EXPECT_TRUE(last.mul(2).equal(last.mul(2).round()));
  }
}

TEST(Plan, OutlivesItsGraphAndTable) {
  std::unique_ptr<Executor> plan;
  at::Tensor expected, images;
  {
    GraphBuilder builder;
    const ir::Graph graph =
        builder.finish(builder.fake_quantize(builder.conv(builder.input(), 4), 0.1));
    images = images_for(graph, 2);
    plan = make_plan(builder, {});
    expected = plan->run(images);
  }
  EXPECT_TRUE(at::equal(plan->run(images), expected));
}

TEST(Plan, NamesTheNodeThatFails) {
  GraphBuilder builder;
  ir::Graph graph = builder.finish(builder.conv(builder.input(), 4));
  ir::Conv& conv = *graph.nodes.front().as<ir::Conv>();
  conv.weight.value = testing::normals({4, 5, 3, 3}, 1, 1);
  try {
    make_plan(graph, {Numerics::kFloat, {}, 1})->run(images_for(graph, 1));
    FAIL() << "no error";
  } catch (const ExecutionError& error) {
    EXPECT_EQ(std::string(error.what()).rfind("conv: ", 0), 0U) << error.what();
  }
}

TEST(Plan, RefusesImagesOfAnotherSize) {
  GraphBuilder builder({3, 8, 8});
  const ir::Graph graph = builder.finish(builder.conv(builder.input(), 4));
  const auto plan = make_plan(graph, {Numerics::kFloat, {}, 1});
  EXPECT_THROW(plan->run(at::zeros({1, 3, 9, 9})), InternalError);
}

}  // namespace
}  // namespace ptq::runtime
