#include <ATen/Parallel.h>
#include <ATen/ops/randn.h>
#include <benchmark/benchmark.h>

#include <functional>

#include "base/threads.h"
#include "passes/learned_round/unit_network.h"
#include "passes/learned_round/unit_plan.h"
#include "support/graph_builder.h"

/// Steps of block reconstruction, forward and backward with QDrop's masks, on two threads: blocks
/// of networks as they are placed by fx, by UnitNetwork and by UnitPlan. The rounding variables are
/// left out: they cost the same for both.
namespace ptq::passes {
namespace {

using testing::GraphBuilder;
using ValueId = ir::ValueId;

/// A block, with all weights quantized.
struct Block {
  explicit Block(const std::vector<int64_t>& image) : builder(image) {}

  ValueId quantized(ValueId value, bool is_signed) {
    return builder.fake_quantize(value, 0.1, is_signed, 4);
  }
  ValueId conv(ValueId in, int64_t out, const GraphBuilder::ConvOptions& options) {
    const ValueId value = builder.conv(in, out, options);
    add_macs(value);
    return value;
  }
  ValueId linear(ValueId in, int64_t out) {
    const ValueId value = builder.linear(in, out);
    add_macs(value);
    return value;
  }
  ValueId relu(ValueId in) { return quantized(builder.add(ir::Relu{}, {in}), false); }

  void add_macs(ValueId value) {
    const at::Tensor& weight = ir::weighted(builder.graph.nodes.back().op)->weight.value;
    int64_t outputs = 1;
    for (const int64_t extent : builder.sizes(value)) outputs *= extent;
    const int64_t own = outputs * (weight.numel() / weight.size(0));
    // Forward, by the weight, and by the input but for the first layer.
    macs += own * (macs == 0 ? 2 : 3);
    builder.quantize_weight(value, 0.02);
  }

  runtime::SweepUnit unit() {
    runtime::SweepUnit unit{{}, builder.graph.input, builder.graph.output};
    for (ir::Node& node : builder.graph.nodes) unit.nodes.push_back(&node);
    return unit;
  }

  GraphBuilder builder;
  /// Of a step, for each image.
  int64_t macs = 0;
};

/// MobileNetV2: in channels, expansion, stride, side.
Block inverted_residual(int64_t in, int64_t wide, int64_t out, int64_t stride, int64_t side) {
  Block block({in, side, side});
  const ValueId input = block.quantized(block.builder.input(), true);
  const ValueId first = block.relu(block.conv(input, wide, {1, 1, 0}));
  const ValueId second = block.relu(block.conv(first, wide, {3, stride, 1, wide}));
  const ValueId narrow = block.quantized(block.conv(second, out, {1, 1, 0}), true);
  block.builder.graph.output = in == out ? block.builder.add(ir::Add{}, {narrow, input}) : narrow;
  return block;
}

/// SqueezeNet.
Block fire(int64_t in, int64_t squeezed, int64_t expanded, int64_t side) {
  Block block({in, side, side});
  const ValueId squeeze =
      block.relu(block.conv(block.quantized(block.builder.input(), false), squeezed, {1, 1, 0}));
  const ValueId left = block.relu(block.conv(squeeze, expanded, {1, 1, 0}));
  const ValueId right = block.relu(block.conv(squeeze, expanded, {3, 1, 1}));
  block.builder.graph.output = block.builder.add(ir::Concat{1}, {left, right});
  return block;
}

/// ResNet18.
Block basic(int64_t channels, int64_t side) {
  Block block({channels, side, side});
  const ValueId input = block.quantized(block.builder.input(), false);
  const ValueId first = block.relu(block.conv(input, channels, {3, 1, 1}));
  const ValueId second = block.quantized(block.conv(first, channels, {3, 1, 1}), true);
  block.builder.graph.output = block.relu(block.builder.add(ir::Add{}, {second, input}));
  return block;
}

/// The MLP half of a layer of a ViT of width 192.
Block mlp() {
  Block block({197, 192});
  GraphBuilder& builder = block.builder;
  ir::LayerNorm norm;
  norm.normalized_shape = {192};
  norm.weight = builder.weight({192});
  norm.bias = builder.weight({192});
  const ValueId input = block.quantized(builder.add(norm, {builder.input()}), true);
  const ValueId wide = block.quantized(builder.add(ir::Gelu{}, {block.linear(input, 768)}), true);
  builder.graph.output = builder.add(ir::Add{}, {block.linear(wide, 192), builder.input()});
  return block;
}

Block all_blocks(int64_t number) {
  switch (number) {
    case 0:
      return inverted_residual(16, 96, 24, 2, 112);
    case 1:
      return inverted_residual(24, 144, 24, 1, 56);
    case 2:
      return inverted_residual(64, 384, 64, 1, 14);
    case 3:
      return inverted_residual(160, 960, 160, 1, 7);
    case 4:
      return fire(128, 32, 128, 27);
    case 5:
      return basic(64, 56);
    case 6:
      return basic(256, 14);
    default:
      return mlp();
  }
}

struct Step {
  explicit Step(benchmark::State& state) : block(all_blocks(state.range(0))) {
    set_intra_op_threads(2);
    unit = block.unit();
    for (const ir::Node* node : unit.nodes) {
      const ir::Weighted* layer = ir::weighted(node->op);
      if (layer != nullptr) weights.push_back(layer->weight.value);
    }
    std::vector<int64_t> sizes = block.builder.sizes(block.builder.input());
    sizes[0] = state.range(1);
    input = at::randn(sizes);
  }
  void report(benchmark::State& state) const {
    state.counters["FLOP/s"] =
        benchmark::Counter(static_cast<double>(2 * block.macs * input.size(0)),
                           benchmark::Counter::kIsIterationInvariantRate);
  }

  Block block;
  runtime::SweepUnit unit;
  Tensors weights;
  at::Tensor input;
  Dropping dropping{0.5, 1};
};

void by_network(benchmark::State& state) {
  Step step(state);
  UnitNetwork network(step.block.builder, step.unit);
  for (auto _ : state) {
    const at::Tensor output = network.forward(step.input, step.weights, step.dropping);
    benchmark::DoNotOptimize(network.backward(output.mul(1e-3)));
  }
  step.report(state);
}

void by_plan(benchmark::State& state) {
  Step step(state);
  UnitPlan plan(step.block.builder, step.unit, {step.input.size(0), false});
  for (auto _ : state) {
    benchmark::DoNotOptimize(plan.gradients(
        step.input, step.weights, step.dropping,
        [](const at::Tensor& output, int64_t, at::Tensor& to) { to.copy_(output).mul_(1e-3); }));
  }
  step.report(state);
}

void blocks(benchmark::internal::Benchmark* benchmark) {
  for (int64_t number = 0; number < 8; ++number) {
    for (const int64_t images : {8, 32}) benchmark->Args({number, images});
  }
  benchmark->ArgNames({"block", "images"})->Unit(benchmark::kMillisecond)->UseRealTime();
}

BENCHMARK(by_network)->Apply(blocks);
BENCHMARK(by_plan)->Apply(blocks);

}  // namespace
}  // namespace ptq::passes
