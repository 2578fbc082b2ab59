#include <ATen/Parallel.h>
#include <ATen/ops/randn.h>
#include <benchmark/benchmark.h>

#include "passes/learned_round/layer_objective.h"
#include "passes/learned_round/learning.h"
#include "passes/learned_round/unit_network.h"
#include "ptq/passes/calibrate.h"
#include "runtime/gemm.h"

/// Steps of learned rounding for the largest layer of a ResNet18, on two threads: a convolution of
/// 512 by 512 channels, 3 x 3, that reads 7 x 7. 1000 steps take 1000 times what is printed.
namespace ptq::passes {
namespace {

constexpr int64_t kChannels = 512;
constexpr int64_t kSide = 7;
constexpr int64_t kImages = 32;
constexpr int64_t kDepth = kChannels * 9;
constexpr int64_t kColumns = kImages * kSide * kSide;

void count_flops(benchmark::State& state, int64_t flops) {
  state.counters["FLOP/s"] =
      benchmark::Counter(static_cast<double>(flops), benchmark::Counter::kIsIterationInvariantRate);
}

/// A graph of that layer alone, with 4-bit weights.
struct Layer : QuantizedNetwork {
  LearnedRoundOptions options;

  Layer() {
    at::set_num_threads(2);
    graph.input = graph.add_value("x", {{1, true}, {kChannels}, {kSide}, {kSide}});
    graph.output = graph.add_value("y", {{1, true}, {kChannels}, {kSide}, {kSide}});
    quant::Quantizer quantizer;
    quantizer.kind = quant::QuantizerKind::kWeight;
    quantizer.layer = "conv";
    quantizer.format = quant::IntegerFormat{4, true, false};
    quantizer.granularity = quant::Granularity::kPerChannel;
    ir::Conv conv;
    conv.weight = {"conv.weight", at::randn({kChannels, kChannels, 3, 3})};
    conv.stride = conv.padding = conv.dilation = {1, 1};
    conv.weight_quantizer = table.add(quantizer);
    graph.nodes.push_back({"conv", "conv", conv, {graph.input}, {graph.output}});
    initialize_weight_scales(*this);
  }
  const at::Tensor& weight() { return ir::weighted(graph.nodes.front().op)->weight.value; }
  RoundedWeight rounded() { return {weight(), table, 0, options}; }
};

/// 32 images per step: a convolution forward, its derivative by the weight, the step itself.
void step_by_images(benchmark::State& state) {
  Layer layer;
  const runtime::SweepUnit unit{
      {&layer.graph.nodes.front()}, layer.graph.input, layer.graph.output};
  UnitNetwork network(layer, unit);
  RoundedWeight rounded = layer.rounded();
  const at::Tensor x = at::randn({kImages, kChannels, kSide, kSide});
  const at::Tensor target = at::randn({kImages, kChannels, kSide, kSide});
  int64_t t = layer.options.iterations / 2;
  for (auto _ : state) {
    const at::Tensor e = network.forward(x, {rounded.variables().soft()}).sub_(target);
    rounded.step(network.backward(e)[0], t);
  }
  count_flops(state, 2 * 2 * kChannels * kDepth * kColumns);
}

/// All images per step, however many there are: a product with their moments, the step itself.
void step_by_moments(benchmark::State& state) {
  Layer layer;
  RoundedWeight rounded = layer.rounded();
  const at::Tensor rows = layer.weight().view({1, kChannels, kDepth});
  const at::Tensor moments = at::randn({1, kDepth, kDepth});
  const at::Tensor means = at::randn({1, kDepth});
  MomentsObjective objective(rows, {moments, moments, 1, {means, means}});
  int64_t t = layer.options.iterations / 2;
  for (auto _ : state) {
    const at::Tensor change = rounded.variables().soft().view(rows.sizes()).sub(rows);
    rounded.step(objective.half_gradient(change).view(layer.weight().sizes()), t);
  }
  count_flops(state, 2 * kChannels * kDepth * kDepth);
}

/// What the step costs besides the products.
void variables_alone(benchmark::State& state) {
  Layer layer;
  RoundedWeight rounded = layer.rounded();
  const at::Tensor gradient = at::randn({kChannels, kChannels, 3, 3});
  for (auto _ : state) {
    benchmark::DoNotOptimize(rounded.variables().soft());
    rounded.step(gradient, layer.options.iterations / 2);
  }
}

/// A product as large as the one by moments: what the cores can do.
void product_alone(benchmark::State& state) {
  at::set_num_threads(2);
  const at::Tensor a = at::randn({kChannels, kDepth});
  const at::Tensor b = at::randn({kDepth, kDepth});
  for (auto _ : state) benchmark::DoNotOptimize(runtime::product(a, b));
  count_flops(state, 2 * kChannels * kDepth * kDepth);
}

BENCHMARK(product_alone)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(step_by_images)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(step_by_moments)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(variables_alone)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace ptq::passes

BENCHMARK_MAIN();
