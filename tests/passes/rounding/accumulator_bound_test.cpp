#include "passes/rounding/accumulator_bound.h"

#include <gtest/gtest.h>

#include <cmath>

#include "ptq/base/error.h"
#include "ptq/runtime/executor.h"
#include "quant/layer_quantizers.h"
#include "rounding_network.h"
#include "unfolded_columns.h"

namespace ptq::passes {
namespace {

using ptq::testing::normals;
using testing::batches_of;
using testing::kGpfq;
using testing::kGptq;
using testing::RoundingNetwork;

constexpr double kInputScale = 0.02;

/// A convolution and a linear layer on 8-bit inputs, weights of 8 bits.
struct BoundedNetwork : RoundingNetwork {
  explicit BoundedNetwork(bool is_signed) : RoundingNetwork({16, 6, 6}) {
    const auto quantizer = testing::weight_quantizer(8);
    auto x = builder.fake_quantize(builder.input(), kInputScale, true);
    x = quantize(builder.conv(x, 24), quantizer);
    if (!is_signed) x = builder.add(ir::Relu{}, {x});
    x = builder.fake_quantize(builder.flatten(x), 4 * kInputScale, is_signed);
    finish(quantize(builder.linear(x, 30), quantizer));
  }
};

std::vector<at::Tensor> bounded_images() { return {normals({20, 16, 6, 6}, 1, 5)}; }

struct BoundCase {
  RoundingTechnique technique;
  int bits;
  std::optional<int64_t> tile;
  bool is_signed;
};

RoundingOptions options_of(const BoundCase& c) {
  RoundingOptions options;
  options.technique = c.technique;
  options.quantize_activations = c.technique == RoundingTechnique::kGptq;
  options.accumulator = AccumulatorOptions{c.bits, c.tile};
  options.threads = 1;
  return options;
}

/// Codes as numbers, [rows, columns].
at::Tensor integers(const at::Tensor& values, const at::Tensor& scale) {
  return values.to(at::kDouble).div(scale.to(at::kDouble)).round();
}

/// The largest magnitude that an accumulator holds at any time while it adds the products of one
/// tile after another, over all outputs, and what it could be for any input.
struct Sums {
  double real = 0, possible = 0;
};

Sums accumulate(const at::Tensor& weights, const at::Tensor& inputs, int64_t tile, double low,
                double high) {
  Sums sums;
  for (int64_t begin = 0; begin < weights.size(1); begin += tile) {
    const int64_t count = std::min(tile, weights.size(1) - begin);
    const at::Tensor w = weights.narrow(1, begin, count), x = inputs.narrow(0, begin, count);
    at::Tensor sum = at::zeros({weights.size(0), inputs.size(1)}, at::kDouble);
    for (int64_t i = 0; i < count; ++i) {
      sum.add_(w.narrow(1, i, 1).mul(x.narrow(0, i, 1)));
      sums.real = std::max(sums.real, sum.abs().max().item<double>());
    }
    const at::Tensor most = w.clamp_min(0).mul(high).add(w.clamp_max(0).mul(low)).sum({1});
    const at::Tensor least = w.clamp_min(0).mul(low).add(w.clamp_max(0).mul(high)).sum({1});
    sums.possible =
        std::max({sums.possible, most.max().item<double>(), -least.min().item<double>()});
  }
  return sums;
}

/// At the layer `name`, with the inputs that it gets in the quantized network.
Sums simulate(BoundedNetwork& net, const std::string& name, const BoundCase& c) {
  at::Tensor seen;
  runtime::ExecutorOptions executor;
  executor.observes = [&](const ir::Node& node) { return node.name == name; };
  executor.observer = [&](const ir::Node&, const at::Tensor& x, int) { seen = x.clone(); };
  runtime::make_interpreter(net, executor)->run(bounded_images()[0]);
  const ir::Node& layer = net.layer(name);
  const ir::Index index(net.graph);
  const auto id = quant::input_quantizer(index, layer);
  const at::Tensor x =
      integers(testing::unfolded_columns(layer.op, seen)[0], net.table.scale_of(id).value);
  const at::Tensor w = weight_rows(layer.op, net.codes(name))[0].to(at::kDouble);
  const quant::IntegerFormat& codes = *net.table.at(id).integer();
  return accumulate(w, x, c.tile.value_or(w.size(1)), codes.quant_min(), codes.quant_max());
}

class AccumulatorWidth : public ::testing::TestWithParam<BoundCase> {};

TEST_P(AccumulatorWidth, IsNeverExceeded) {
  const double most = std::exp2(GetParam().bits - 1) - 1;
  BoundedNetwork nearest(GetParam().is_signed), net(GetParam().is_signed);
  round_weights(net, options_of(GetParam()), {}, batches_of(bounded_images()));
  for (const char* layer : {"conv", "linear"}) {
    const Sums sums = simulate(net, layer, GetParam());
    EXPECT_LE(sums.real, most) << layer;
    EXPECT_LE(sums.possible, most) << layer;
    EXPECT_GT(sums.possible, 0.5 * most) << layer << " gives away half of its accumulator";
    EXPECT_GT(simulate(nearest, layer, GetParam()).possible, most) << "nothing to bound";
  }
}

INSTANTIATE_TEST_SUITE_P(
    Bits, AccumulatorWidth,
    ::testing::Values(BoundCase{kGptq, 16, {}, true}, BoundCase{kGptq, 20, {}, true},
                      BoundCase{kGpfq, 16, {}, true}, BoundCase{kGpfq, 20, {}, true},
                      BoundCase{kGptq, 16, 48, true}, BoundCase{kGpfq, 16, 48, false},
                      BoundCase{kGptq, 16, {}, false}, BoundCase{kGpfq, 20, {}, false}));

TEST(AccumulatorBound, NeedsIntegersToBound) {
  RoundingNetwork net({8});
  net.finish(net.quantize(net.builder.linear(net.builder.input(), 4), testing::weight_quantizer()));
  try {
    round_weights(net, options_of({kGpfq, 16, {}, true}), {}, batches_of({normals({10, 8}, 1, 1)}));
    FAIL();
  } catch (const QuantizationError& error) {
    EXPECT_NE(std::string(error.what()).find("linear: its inputs are not integers"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace ptq::passes
