#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "base/execution_error.h"
#include "ptq/runtime/executor.h"

namespace ptq::runtime {
namespace {

/// images [N, 3, 1, 1] -> flatten -> fake_quantize -> linear -> fake_quantize
struct TinyNetwork : QuantizedNetwork {
  TinyNetwork() {
    graph.input = graph.add_value("images", {{1, true}, {3, false}, {1, false}, {1, false}});
    graph.output = graph.input;
    add("flatten", ir::Reshape{{{1, true}, {3, false}}}, {{1, true}, {3, false}});
    add("input_quant", ir::FakeQuantize{add_scale(0.5F, quant::QuantizerKind::kActivation)},
        {{1, true}, {3, false}});
    ir::Linear linear;
    linear.weight = {"fc.weight", at::full({2, 3}, 0.3)};
    linear.bias = ir::Parameter{"fc.bias", at::full({2}, 0.4)};
    linear.weight_quantizer = add_scale(0.25F, quant::QuantizerKind::kWeight);
    add("fc", linear, {{1, true}, {2, false}});
    add("fc_quant", ir::FakeQuantize{add_scale(1.0F, quant::QuantizerKind::kActivation)},
        {{1, true}, {2, false}});
  }

  void add(const std::string& name, ir::Op op, const ir::Dims& shape) {
    ir::Node node{name, "", std::move(op), {graph.output}, {}};
    graph.output = graph.insert(graph.nodes.end(), std::move(node), shape).output();
  }

  ir::QuantizerId add_scale(float scale, quant::QuantizerKind kind) {
    quant::Quantizer quantizer;
    quantizer.kind = kind;
    const ir::QuantizerId id = table.add(quantizer);
    table.scale_of(id).value = at::full({}, scale);
    return id;
  }
};

at::Tensor image() { return at::tensor(std::vector<float>{1.1F, 0, 0}).reshape({1, 3, 1, 1}); }

TEST(Interpreter, FloatPassesQuantizersByAndKeepsOriginalWeights) {
  const TinyNetwork network;
  const auto interpreter = make_interpreter(network, {Numerics::kFloat, {}, 1});
  const at::Tensor expected = at::full({1, 2}, 1.1F * 0.3F + 0.4F);
  EXPECT_TRUE(interpreter->run(image()).allclose(expected, 1e-6));
}

/// 1.1 becomes 1.0 on the grid of 0.5, 0.3 becomes 0.25, and 0.25 + 0.4 becomes 1 on that of 1.
TEST(Interpreter, QuantizedAppliesEveryQuantizer) {
  const TinyNetwork network;
  const auto interpreter = make_interpreter(network, {Numerics::kQuantized, {}, 1});
  EXPECT_TRUE(at::equal(interpreter->run(image()), at::full({1, 2}, 1.0)));
}

TEST(Interpreter, TakesAGraphAloneInFloatAndAGraphWithAnotherTable) {
  const TinyNetwork network;
  const ExecutorOptions in_float{Numerics::kFloat, {}, 1};
  EXPECT_TRUE(at::equal(make_interpreter(network.graph, in_float)->run(image()),
                        make_interpreter(network, in_float)->run(image())));
  // 0.3 becomes 0.5 on the grid of 0.5, and 0.5 + 0.4 becomes 0 on that of 2.
  quant::QuantizerTable coarse = network.table;
  for (quant::Scale& scale : coarse.scales) scale.value = scale.value.mul(2);
  EXPECT_TRUE(at::equal(make_interpreter({network.graph, coarse}, {})->run(image()),
                        at::full({1, 2}, 0.0)));
}

TEST(Interpreter, ShowsTheObserverTheInputOfEachQuantizer) {
  for (const Numerics numerics : {Numerics::kFloat, Numerics::kQuantized}) {
    const TinyNetwork network;
    std::vector<std::pair<const ir::Node*, at::Tensor>> seen;
    const auto observer = [&](const ir::Node& node, const at::Tensor& value, int lane) {
      EXPECT_EQ(lane, 0);
      seen.emplace_back(&node, value.clone());
    };
    make_interpreter(network, {numerics, observer, 1})->run(image());
    ASSERT_EQ(seen.size(), 2U);
    EXPECT_EQ(seen[0].first, &*std::next(network.graph.nodes.begin()));
    EXPECT_TRUE(at::equal(seen[0].second, image().reshape({1, 3})));
    EXPECT_EQ(seen[1].first, &network.graph.nodes.back());
    const float fc = numerics == Numerics::kFloat ? 1.1F * 0.3F + 0.4F : 0.25F + 0.4F;
    EXPECT_NEAR(seen[1].second[0][0].item<float>(), fc, 1e-6);
  }
}

TEST(Interpreter, OutlivesAndIgnoresChangesOfGraphAndTable) {
  auto network = std::make_unique<TinyNetwork>();
  const auto interpreter = make_interpreter(*network, {Numerics::kQuantized, {}, 1});
  const at::Tensor before = interpreter->run(image());
  network->table.scales.clear();
  network->graph.nodes.clear();
  network.reset();
  EXPECT_TRUE(at::equal(interpreter->run(image()), before));
}

TEST(Interpreter, RunsAnyBatchSize) {
  const TinyNetwork network;
  const auto interpreter = make_interpreter(network, {Numerics::kFloat, {}, 1});
  for (const int64_t batch : {1, 2, 7}) {
    const at::Tensor logits = interpreter->run(image().repeat({batch, 1, 1, 1}));
    EXPECT_EQ(logits.size(0), batch);
    EXPECT_TRUE(at::equal(logits[batch - 1], logits[0]));
  }
}

TEST(Interpreter, ReadsAValueAgainAfterItsFirstUse) {
  TinyNetwork network;
  const ir::ValueId flat = network.graph.nodes.front().output();
  ir::Node concat{"cat", "", ir::Concat{1}, {network.graph.output, flat, flat}, {}};
  network.graph.output =
      network.graph.insert(network.graph.nodes.end(), concat, {{1, true}, {8, false}}).output();
  const auto interpreter = make_interpreter(network, {Numerics::kFloat, {}, 1});
  const at::Tensor logits = interpreter->run(image());
  EXPECT_TRUE(at::equal(logits.slice(1, 2, 5), image().reshape({1, 3})));
}

TEST(Interpreter, NamesTheNodeThatFails) {
  const TinyNetwork network;
  const auto interpreter = make_interpreter(network, {Numerics::kFloat, {}, 1});
  try {
    interpreter->run(at::ones({1, 4, 1, 1}));
    FAIL() << "ran on four channels";
  } catch (const ExecutionError& error) {
    EXPECT_STREQ(error.what(),
                 "flatten (reshape) fails: shape '[1, 3]' is invalid for input of size 4");
  }
}

}  // namespace
}  // namespace ptq::runtime
