#include "runtime/layer_sweep.h"

#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include "ptq/base/error.h"
#include "ptq/runtime/executor.h"
#include "quant/fake_quantize.h"
#include "sweep_network.h"

namespace ptq::runtime {
namespace {

using ptq::testing::Batches;
using ptq::testing::change;
using ptq::testing::options_of;
using ptq::testing::SweepNetwork;
using ptq::testing::whole_input;
using ptq::testing::whole_output;
using Weights = Stream::Weights;

/// What reaches `node` (its first input) in a run over all images.
at::Tensor tapped(NetworkView network, const std::string& node, Numerics numerics) {
  at::Tensor seen;
  ExecutorOptions options;
  options.numerics = numerics;
  options.observes = [&](const ir::Node& other) { return other.name == node; };
  options.observer = [&](const ir::Node&, const at::Tensor& value, int) { seen = value.clone(); };
  make_interpreter(network, options)->run(Batches::all());
  return seen;
}

/// The network with weights as a layer multiplies with them, for runs without activation
/// quantizers.
QuantizedNetwork with_quantized_weights(QuantizedNetwork network) {
  for (ir::Node& node : network.graph.nodes) {
    ir::Weighted* layer = ir::weighted(node.op);
    if (layer == nullptr) continue;
    layer->weight.value =
        quant::fake_quantize_weight(layer->weight.value, network.table, layer->weight_quantizer);
  }
  return network;
}

TEST(LayerSweep, ShowsEachLayerWhatAnExecutorTapsThereWithTheLayersBeforeChanged) {
  SweepNetwork network;
  const auto options =
      options_of({{Weights::kQuantized, true}, {Weights::kQuantized, false}, {Weights::kCurrent}});
  int stops = 0;
  sweep(network, options, network.units(), Batches(), [&](const SweepStop& stop) {
    const std::string& name = stop.unit().nodes.front()->name;
    const QuantizedNetwork weights = with_quantized_weights(network);
    EXPECT_TRUE(at::equal(whole_input(stop, 0), tapped(network, name, Numerics::kQuantized)))
        << name;
    EXPECT_TRUE(at::equal(whole_input(stop, 1), tapped(weights, name, Numerics::kFloat))) << name;
    EXPECT_TRUE(at::equal(whole_input(stop, 2), tapped(network, name, Numerics::kFloat))) << name;
    change(stop);
    ++stops;
  });
  EXPECT_EQ(stops, 4);
}

TEST(LayerSweep, OriginalWeightsStayThoseOfTheBeginning) {
  SweepNetwork network;
  const ir::Graph before = network.graph;
  sweep(network, options_of({{Weights::kOriginal, false}}), network.units(), Batches(),
        [&](const SweepStop& stop) {
          const ir::Node& layer = *stop.unit().nodes.front();
          const at::Tensor input = tapped(before, layer.name, Numerics::kFloat);
          EXPECT_TRUE(at::equal(whole_input(stop, 0), input));
          EXPECT_TRUE(at::equal(whole_output(stop, 0), execute_op(layer.op, {input}, 21)));
          change(stop);
        });
}

TEST(LayerSweep, OriginalWeightsMayBeThoseOfAnEarlierPass) {
  SweepNetwork network;
  const ir::Graph before = network.graph;
  SweepOptions options = options_of({{Weights::kOriginal, false}});
  ir::Node& stem = network.node(network.layers[0]);
  options.original_weights[stem.name] = ir::weighted(stem.op)->weight.value;
  ir::weighted(stem.op)->weight.value = ir::weighted(stem.op)->weight.value.mul(3);
  sweep(network, options, network.units(), Batches(), [&](const SweepStop& stop) {
    const at::Tensor expected = tapped(before, stop.unit().nodes.front()->name, Numerics::kFloat);
    EXPECT_TRUE(at::equal(whole_input(stop, 0), expected));
  });
}

TEST(LayerSweep, StopsAtBlocksToo) {
  SweepNetwork network;
  SweepUnit block;
  for (ir::Node& node : network.graph.nodes) {
    if (node.name == "relu" || block.nodes.size() > 0) block.nodes.push_back(&node);
    if (node.name == "add") break;
  }
  block.input = block.nodes.front()->inputs[0];
  block.output = block.nodes.back()->output();
  const ir::Graph before = network.graph;
  const auto options = options_of({{Weights::kOriginal, false}, {Weights::kQuantized, true}});
  int stops = 0;
  sweep(network, options, {unit_of(network.node(network.layers[3])), block}, Batches(),
        [&](const SweepStop& stop) {
          const std::string name = stop.unit().nodes.front()->name;
          EXPECT_TRUE(at::equal(whole_input(stop, 0), tapped(before, name, Numerics::kFloat)));
          EXPECT_TRUE(at::equal(whole_input(stop, 1), tapped(network, name, Numerics::kQuantized)));
          if (stops++ == 0) {
            EXPECT_EQ(name, "relu");
            const at::Tensor sum = tapped(before, "fake_quantize_2", Numerics::kFloat);
            EXPECT_TRUE(at::equal(whole_output(stop, 0), sum));
            EXPECT_THROW(stop.output(1, 0), InternalError);
          }
          change(stop);
        });
  EXPECT_EQ(stops, 2);
}

TEST(LayerSweep, NamesTheNodeThatTiesAUnitToMoreThanItSays) {
  SweepNetwork network;
  const auto try_unit = [&](const SweepUnit& unit) {
    sweep(network, options_of({{}}), {unit}, Batches(), [](const SweepStop&) {});
  };
  SweepUnit two_inputs = unit_of(network.node(network.layers[1]));
  two_inputs.input = network.graph.input;
  EXPECT_THROW(try_unit(two_inputs), InternalError);
  SweepUnit two_outputs = unit_of(network.node(network.layers[1]));
  two_outputs.output = network.graph.output;
  EXPECT_THROW(try_unit(two_outputs), InternalError);
}

TEST(LayerSweep, CutsBatchesAndSaysFromWhich) {
  SweepNetwork network;
  sweep(network, options_of({{}}), {network.units().front()}, Batches(),
        [&](const SweepStop& stop) {
          std::vector<int64_t> sources, images;
          for (int64_t i = 0; i < stop.batches(); ++i) {
            sources.push_back(stop.source(i));
            images.push_back(stop.images(i));
            EXPECT_EQ(stop.input(0, i).size(0), images.back());
          }
          EXPECT_EQ(sources, (std::vector<int64_t>{0, 0, 1, 1, 2}));
          EXPECT_EQ(images, (std::vector<int64_t>{8, 1, 8, 1, 3}));
        });
}

TEST(LayerSweep, NeedsImages) {
  SweepNetwork network;
  const auto none = []() -> std::optional<at::Tensor> { return std::nullopt; };
  EXPECT_THROW(sweep(network, options_of({{}}), network.units(), none, [](const SweepStop&) {}),
               DataError);
}

}  // namespace
}  // namespace ptq::runtime
