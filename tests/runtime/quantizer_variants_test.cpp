// Variants that run from where they begin to differ compute what whole networks compute.
#include "runtime/quantizer_variants.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "ptq/base/error.h"
#include "ptq/runtime/executor.h"
#include "sweep_network.h"

namespace ptq::runtime {
namespace {

using testing::Batches;
using testing::SweepNetwork;

at::Tensor whole(NetworkView network, Numerics numerics) {
  ExecutorOptions options;
  options.numerics = numerics;
  return make_interpreter(network, options)->run(Batches::all());
}

/// All bit widths of `table` become `bits`.
std::shared_ptr<const quant::QuantizerTable> at_width(quant::QuantizerTable table, int bits) {
  for (quant::Quantizer& quantizer : table.quantizers) {
    std::get<quant::IntegerFormat>(quantizer.format).bit_width = bits;
  }
  return std::make_shared<const quant::QuantizerTable>(std::move(table));
}

class Variants : public ::testing::Test {
 protected:
  std::vector<at::Tensor> run(const QuantizerStates& base,
                              const std::vector<QuantizerVariant>& variants, int64_t memory) {
    std::vector<at::Tensor> logits(variants.size(), at::zeros({21, 5}));
    for (at::Tensor& all : logits) all = all.clone();
    run_variants(network_.graph, base, variants, {2, memory}, Batches(),
                 [&](size_t variant, int64_t first, const at::Tensor& some) {
                   logits[variant].narrow(0, first, some.size(0)).copy_(some);
                 });
    return logits;
  }

  /// One variant for each quantizer alone.
  std::vector<QuantizerVariant> one_by_one(int bits) const {
    std::vector<QuantizerVariant> variants;
    const auto table = at_width(network_.table, bits);
    for (size_t id = 0; id < table->quantizers.size(); ++id) {
      variants.push_back({{static_cast<ir::QuantizerId>(id)}, table});
    }
    return variants;
  }

  void expect_whole_networks(const QuantizerStates& base, int64_t memory) {
    const std::vector<QuantizerVariant> variants = one_by_one(3);
    const std::vector<at::Tensor> logits = run(base, variants, memory);
    for (size_t i = 0; i < variants.size(); ++i) {
      const QuantizerStates states = changed_states(base, variants[i]);
      const at::Tensor expected = whole({with(states.on), states.table}, Numerics::kQuantized);
      EXPECT_TRUE(at::equal(logits[i], expected)) << "quantizer " << i;
    }
  }

  /// The graph with those quantizers only.
  ir::Graph with(const std::vector<bool>& on) const {
    ir::Graph graph = network_.graph;
    for (auto node = graph.nodes.begin(); node != graph.nodes.end();) {
      if (ir::Weighted* layer = ir::weighted(node->op)) {
        if (!on[static_cast<size_t>(layer->weight_quantizer)]) {
          layer->weight_quantizer = ir::kNoQuantizer;
        }
      }
      const auto* fake = node->as<ir::FakeQuantize>();
      if (fake == nullptr || on[static_cast<size_t>(fake->quantizer)]) {
        ++node;
        continue;
      }
      graph.replace_uses(node->output(), node->inputs[0]);
      node = graph.nodes.erase(node);
    }
    return graph;
  }

  SweepNetwork network_;
};

TEST_F(Variants, OfTheFloatNetworkAreThatWithOneQuantizer) {
  expect_whole_networks(all_quantizers(network_.table, false), int64_t{1} << 30);
}

TEST_F(Variants, OfTheQuantizedNetworkAreThatWithAnotherWidth) {
  expect_whole_networks(all_quantizers(network_.table, true), int64_t{1} << 30);
}

TEST_F(Variants, DoNotDependOnMemory) {
  expect_whole_networks(all_quantizers(network_.table, true), 1);
}

TEST_F(Variants, WithoutQuantizersAreTheBase) {
  const QuantizerStates off = all_quantizers(network_.table, false);
  const auto in_float = whole(network_, Numerics::kFloat);
  EXPECT_TRUE(at::equal(run(off, {{}}, 1 << 20).front(), in_float));
  const QuantizerStates on = all_quantizers(network_.table, true);
  const auto quantized = whole(network_, Numerics::kQuantized);
  EXPECT_TRUE(at::equal(run(on, {{}}, 1 << 20).front(), quantized));
}

/// A quantizer of a constant is computed once for the whole network.
TEST(VariantOfAConstant, ReachesWhereTheConstantIsRead) {
  testing::GraphBuilder builder({3, 8, 8}, testing::GraphBuilder::Weights::kInteger);
  const auto x = builder.conv(builder.input(), 4);
  const auto constant = builder.constant(testing::integers({1, 4, 8, 8}, 9, 5));
  const auto coarse = builder.fake_quantize(constant, 4);
  const auto sum = builder.conv(builder.add(ir::Add{}, {x, coarse}), 4);
  const ir::Graph graph = builder.finish(builder.linear(builder.flatten(sum), 5));
  const auto table = std::make_shared<const quant::QuantizerTable>(builder.table);
  at::Tensor logits = at::zeros({21, 5});
  run_variants(graph, all_quantizers(builder.table, false), {{{0}, table}}, {2}, Batches(),
               [&](size_t /*variant*/, int64_t first, const at::Tensor& some) {
                 logits.narrow(0, first, some.size(0)).copy_(some);
               });
  EXPECT_TRUE(at::equal(logits, whole(builder, Numerics::kQuantized)));
  EXPECT_FALSE(at::equal(logits, whole(builder, Numerics::kFloat)));
}

TEST_F(Variants, NeedImages) {
  const QuantizerStates off = all_quantizers(network_.table, false);
  EXPECT_THROW(run_variants(
                   network_.graph, off, {{}}, {}, [] { return std::optional<at::Tensor>(); },
                   [](size_t, int64_t, const at::Tensor&) {}),
               DataError);
}

}  // namespace
}  // namespace ptq::runtime
