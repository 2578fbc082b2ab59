#include "ptq/runtime/layer_sweep.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "ptq/base/error.h"
#include "ptq/quant/fake_quantize.h"
#include "ptq/runtime/executor.h"
#include "support/graph_builder.h"
#include "support/temporary_folder.h"

namespace ptq::runtime {
namespace {

using ptq::support::TemporaryFolder;
using ptq::testing::GraphBuilder;
using ptq::testing::integers;
using Weights = Stream::Weights;

/// Integers all the way, so that every kernel gives the same sums: two branches on one value, a
/// depthwise convolution, a residual addition, a pooled head.
struct Network {
  GraphBuilder builder{{3, 8, 8}, GraphBuilder::Weights::kInteger};
  std::vector<ir::ValueId> layers;
  ir::Graph graph;

  Network() {
    const auto layer = [&](ir::ValueId made) {
      builder.quantize_weight(made, 0.5);
      layers.push_back(made);
      return made;
    };
    const auto images = builder.fake_quantize(builder.input(), 1);
    const auto stem = layer(builder.conv(images, 8));
    const auto x = builder.fake_quantize(builder.add(ir::Relu{}, {stem}), 2, false);
    GraphBuilder::ConvOptions depthwise;
    depthwise.groups = 8;
    const auto left = layer(builder.conv(x, 8, depthwise));
    const auto right = layer(builder.conv(x, 8));
    const auto sum = builder.add(ir::Add{}, {left, right});
    const auto kept = builder.fake_quantize(sum, 8);
    const auto features = builder.flatten(kept);
    graph = builder.finish(layer(builder.linear(features, 5)));
  }

  ir::Node& node(ir::ValueId output) {
    for (ir::Node& node : graph.nodes) {
      if (node.output() == output) return node;
    }
    throw std::out_of_range("no such node");
  }

  std::vector<SweepUnit> units() {
    std::vector<SweepUnit> units;
    for (const ir::ValueId layer : layers) units.push_back(unit_of(node(layer)));
    return units;
  }
};

/// 9 + 9 + 3 images: the sweep cuts them unevenly.
class Batches {
 public:
  std::optional<at::Tensor> operator()() {
    constexpr int64_t kSizes[] = {9, 9, 3};
    if (next_ == 3) return std::nullopt;
    ++next_;
    return integers({kSizes[next_ - 1], 3, 8, 8}, 9, static_cast<unsigned>(next_));
  }
  static at::Tensor all() {
    Batches batches;
    std::vector<at::Tensor> images;
    while (const auto batch = batches()) images.push_back(*batch);
    return at::cat(images);
  }

 private:
  int next_ = 0;
};

at::Tensor whole_input(const SweepStop& stop, int stream) {
  std::vector<at::Tensor> batches;
  for (int64_t i = 0; i < stop.batches(); ++i) batches.push_back(stop.input(stream, i));
  return at::cat(batches);
}

at::Tensor whole_output(const SweepStop& stop, int stream) {
  std::vector<at::Tensor> batches;
  for (int64_t i = 0; i < stop.batches(); ++i) batches.push_back(stop.output(stream, i));
  return at::cat(batches);
}

/// What reaches `node` (its first input) in a run over all images.
at::Tensor tapped(const ir::Graph& graph, const quant::QuantizerTable& table,
                  const std::string& node, Numerics numerics) {
  at::Tensor seen;
  ExecutorOptions options;
  options.numerics = numerics;
  options.observes = [&](const ir::Node& other) { return other.name == node; };
  options.observer = [&](const ir::Node&, const at::Tensor& value, int) { seen = value.clone(); };
  make_interpreter(graph, table, options)->run(Batches::all());
  return seen;
}

/// The graph with weights as a layer multiplies with them, for runs without activation quantizers.
ir::Graph with_quantized_weights(ir::Graph graph, const quant::QuantizerTable& table) {
  for (ir::Node& node : graph.nodes) {
    ir::Weighted* layer = ir::weighted(node.op);
    if (layer == nullptr) continue;
    layer->weight.value =
        quant::fake_quantize_weight(layer->weight.value, table, layer->weight_quantizer);
  }
  return graph;
}

void change(const SweepStop& stop) {
  for (ir::Node* node : stop.unit().nodes) {
    if (ir::Weighted* layer = ir::weighted(node->op)) {
      layer->weight.value = layer->weight.value.flip({0});
      layer->bias->value = layer->bias->value.add(1);
    }
  }
}

SweepOptions options_of(std::vector<Stream> streams) {
  SweepOptions options;
  options.streams = std::move(streams);
  options.threads = 2;
  return options;
}

TEST(LayerSweep, ShowsEachLayerWhatAnExecutorTapsThereWithTheLayersBeforeChanged) {
  Network network;
  const auto& table = network.builder.table;
  const auto options =
      options_of({{Weights::kQuantized, true}, {Weights::kQuantized, false}, {Weights::kCurrent}});
  int stops = 0;
  sweep(network.graph, table, options, network.units(), Batches(), [&](const SweepStop& stop) {
    const std::string& name = stop.unit().nodes.front()->name;
    const ir::Graph weights = with_quantized_weights(network.graph, table);
    EXPECT_TRUE(
        at::equal(whole_input(stop, 0), tapped(network.graph, table, name, Numerics::kQuantized)))
        << name;
    EXPECT_TRUE(at::equal(whole_input(stop, 1), tapped(weights, table, name, Numerics::kFloat)))
        << name;
    EXPECT_TRUE(
        at::equal(whole_input(stop, 2), tapped(network.graph, table, name, Numerics::kFloat)))
        << name;
    change(stop);
    ++stops;
  });
  EXPECT_EQ(stops, 4);
}

TEST(LayerSweep, OriginalWeightsStayThoseOfTheBeginning) {
  Network network;
  const ir::Graph before = network.graph;
  sweep(network.graph, network.builder.table, options_of({{Weights::kOriginal, false}}),
        network.units(), Batches(), [&](const SweepStop& stop) {
          const ir::Node& layer = *stop.unit().nodes.front();
          const at::Tensor input = tapped(before, {}, layer.name, Numerics::kFloat);
          EXPECT_TRUE(at::equal(whole_input(stop, 0), input));
          EXPECT_TRUE(at::equal(whole_output(stop, 0), execute_op(layer.op, {input}, 21)));
          change(stop);
        });
}

TEST(LayerSweep, OriginalWeightsMayBeThoseOfAnEarlierPass) {
  Network network;
  const ir::Graph before = network.graph;
  SweepOptions options = options_of({{Weights::kOriginal, false}});
  ir::Node& stem = network.node(network.layers[0]);
  options.original_weights[stem.name] = ir::weighted(stem.op)->weight.value;
  ir::weighted(stem.op)->weight.value = ir::weighted(stem.op)->weight.value.mul(3);
  sweep(network.graph, network.builder.table, options, network.units(), Batches(),
        [&](const SweepStop& stop) {
          const at::Tensor expected =
              tapped(before, {}, stop.unit().nodes.front()->name, Numerics::kFloat);
          EXPECT_TRUE(at::equal(whole_input(stop, 0), expected));
        });
}

TEST(LayerSweep, StopsAtBlocksToo) {
  Network network;
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
  sweep(network.graph, network.builder.table, options,
        {unit_of(network.node(network.layers[3])), block}, Batches(), [&](const SweepStop& stop) {
          const std::string name = stop.unit().nodes.front()->name;
          EXPECT_TRUE(at::equal(whole_input(stop, 0), tapped(before, {}, name, Numerics::kFloat)));
          EXPECT_TRUE(at::equal(whole_input(stop, 1), tapped(network.graph, network.builder.table,
                                                             name, Numerics::kQuantized)));
          if (stops++ == 0) {
            EXPECT_EQ(name, "relu");
            const at::Tensor sum = tapped(before, {}, "fake_quantize_2", Numerics::kFloat);
            EXPECT_TRUE(at::equal(whole_output(stop, 0), sum));
            EXPECT_THROW(stop.output(1, 0), InternalError);
          }
          change(stop);
        });
  EXPECT_EQ(stops, 2);
}

TEST(LayerSweep, NamesTheNodeThatTiesAUnitToMoreThanItSays) {
  Network network;
  const auto try_unit = [&](const SweepUnit& unit) {
    sweep(network.graph, network.builder.table, options_of({{}}), {unit}, Batches(),
          [](const SweepStop&) {});
  };
  SweepUnit two_inputs = unit_of(network.node(network.layers[1]));
  two_inputs.input = network.graph.input;
  EXPECT_THROW(try_unit(two_inputs), InternalError);
  SweepUnit two_outputs = unit_of(network.node(network.layers[1]));
  two_outputs.output = network.graph.output;
  EXPECT_THROW(try_unit(two_outputs), InternalError);
}

TEST(LayerSweep, CutsBatchesAndSaysFromWhich) {
  Network network;
  sweep(network.graph, network.builder.table, options_of({{}}), {network.units().front()},
        Batches(), [&](const SweepStop& stop) {
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
  Network network;
  const auto none = []() -> std::optional<at::Tensor> { return std::nullopt; };
  EXPECT_THROW(sweep(network.graph, network.builder.table, options_of({{}}), network.units(), none,
                     [](const SweepStop&) {}),
               DataError);
}

/// Directs temporary files into a folder of the test.
class SpillingSweep : public ::testing::Test {
 protected:
  void SetUp() override { setenv("TMPDIR", folder_.path().c_str(), 1); }
  void TearDown() override { unsetenv("TMPDIR"); }

  /// Files that this process has open in the folder, deleted or not.
  int open_files() const {
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
      std::error_code gone;
      const std::string target = std::filesystem::read_symlink(entry, gone).string();
      count += target.rfind(folder_.path(), 0) == 0 ? 1 : 0;
    }
    return count;
  }

  std::vector<at::Tensor> inputs(int64_t memory_bytes, int* files) const {
    Network network;
    std::vector<at::Tensor> seen;
    SweepOptions options = options_of({{Weights::kQuantized, true}, {Weights::kOriginal, false}});
    options.memory_bytes = memory_bytes;
    sweep(network.graph, network.builder.table, options, network.units(), Batches(),
          [&](const SweepStop& stop) {
            seen.push_back(whole_input(stop, 0));
            seen.push_back(whole_output(stop, 1));
            *files = open_files();
            change(stop);
          });
    return seen;
  }

  TemporaryFolder folder_;
};

TEST_F(SpillingSweep, GivesTheSameBitsWhateverTheBudget) {
  int files = 0;
  const std::vector<at::Tensor> in_memory = inputs(int64_t{1} << 30, &files);
  EXPECT_EQ(files, 0);
  for (const int64_t budget : {0, 50000}) {
    const std::vector<at::Tensor> spilled = inputs(budget, &files);
    EXPECT_EQ(files, 1);
    ASSERT_EQ(spilled.size(), in_memory.size());
    for (size_t i = 0; i < spilled.size(); ++i) EXPECT_TRUE(at::equal(spilled[i], in_memory[i]));
  }
  EXPECT_EQ(open_files(), 0);
}

TEST_F(SpillingSweep, LeavesNoFileBehindWhenItIsInterrupted) {
  Network network;
  SweepOptions options = options_of({{}});
  options.memory_bytes = 0;
  EXPECT_THROW(sweep(network.graph, network.builder.table, options, network.units(), Batches(),
                     [&](const SweepStop&) {
                       EXPECT_EQ(open_files(), 1);
                       EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
                       throw QuantizationError("stop");
                     }),
               QuantizationError);
  EXPECT_EQ(open_files(), 0);
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(SpillingSweep, SaysInOneSentenceWhereItCannotWrite) {
  setenv("TMPDIR", (folder_.path() + "/missing").c_str(), 1);
  int files = 0;
  try {
    inputs(0, &files);
    FAIL();
  } catch (const OutputError& error) {
    EXPECT_NE(std::string(error.what()).find("missing"), std::string::npos);
  }
}

}  // namespace
}  // namespace ptq::runtime
