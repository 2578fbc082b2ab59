#include <ATen/ops/equal.h>
#include <ATen/ops/isfinite.h>
#include <gtest/gtest.h>

#include "options/combinations/combinations.h"
#include "options/combinations/settings_of.h"
#include "options/config/quantize_settings.h"
#include "passes/pipeline.h"
#include "ptq/base/error.h"
#include "ptq/passes/calibrate.h"
#include "ptq/runtime/executor.h"
#include "support/network_builder.h"
#include "workflow/quantization.h"

// Every legal combination of the quantization options, on a network with everything in it.
namespace ptq::options {
namespace {

using ptq::testing::NetworkBuilder;

struct Axis {
  const char* option;
  std::vector<const char*> values;
};

using Axes = std::vector<Axis>;

/// First values are the defaults.
const Axes& axes() {
  static const std::vector<Axis> all = {
      {"target-backend", {"fx", "layerwise", "flexml"}},
      {"quant-format", {"int", "float", "float_ocp"}},
      {"scale-factor-type", {"float_scale", "po2_scale"}},
      {"weight-quant-granularity", {"per_tensor", "per_channel", "per_group"}},
      {"weight-quant-type", {"sym", "asym"}},
      {"weight-quant-calibration-type", {"stats", "mse", "hqo"}},
      {"act-bit-width", {"8", "0"}},
      {"act-quant-granularity", {"per_tensor", "per_group"}},
      {"act-quant-type", {"sym", "asym"}},
      {"act-quant-calibration-type", {"stats", "mse"}},
      {"act-scale-computation-type", {"static", "dynamic"}},
      {"bias-bit-width", {"32", "16", "None"}},
  };
  return all;
}

/// conv, depthwise conv, batch norm, residual add, concat, transposed conv, pooling, attention,
/// linear.
ir::Graph everything() {
  NetworkBuilder net({3, 8, 8});
  const auto stem = net.add("stem.relu", ir::Relu6{}, {net.conv("stem", net.input(), {8, 3, 2})});
  const auto depthwise = net.batch_norm("norm", net.conv("depthwise", stem, {8, 3, 1, 8, false}));
  const auto sum = net.add("add", ir::Add{}, {stem, net.conv("project", depthwise, {8, 1})});
  const auto branch = net.add("branch.relu", ir::Relu{}, {net.conv("branch", sum, {4, 1})});
  const auto joined = net.add("concat", ir::Concat{1}, {sum, branch});
  ir::ConvTranspose up;
  up.weight = net.parameter("up.weight", {12, 6, 2, 2});
  up.bias = net.parameter("up.bias", {6});
  up.stride = {2, 2}, up.padding = {0, 0}, up.output_padding = {0, 0}, up.dilation = {1, 1};
  const auto raised = net.add("up", up, {joined});
  const auto tokens =
      net.add("tokens", ir::Permute{{0, 2, 1}}, {net.reshape("flat", raised, {6, 64})});
  const auto scores = net.add("attn.scores", ir::MatMul{},
                              {net.linear("q", tokens, 4), net.add("k_t", ir::Permute{{0, 2, 1}},
                                                                   {net.linear("k", tokens, 4)})});
  const auto weights = net.add("attn.softmax", ir::Softmax{2}, {scores});
  const auto context = net.add("attn.context", ir::MatMul{}, {weights, net.linear("v", tokens, 4)});
  const auto mean = net.add("mean", ir::Mean{{1}, false}, {context});
  net.linear("head", mean, 10);
  return net.graph();
}

struct Walk {
  ir::Graph graph = everything();
  at::Tensor images = ptq::testing::normals({4, 3, 8, 8}, 1, 5);
  int64_t legal = 0, refused = 0;

  void visit(const Choices& choices) {
    const Settings settings = settings_of(choices);
    backends::PlacementOptions options;
    try {
      options = workflow::placement_options(quantize_config(settings));
    } catch (const ConfigError&) {
      ++refused;
      return;
    }
    ++legal;
    std::string words;
    for (const auto& [option, value] : choices) words += " --" + option + " " + value;
    try {
      check(options, settings, words);
    } catch (const std::exception& error) {
      ADD_FAILURE() << words << ": " << error.what();
    }
  }

  void check(const backends::PlacementOptions& options, const Settings& settings,
             const std::string& words) {
    ir::Graph prepared = graph;
    passes::PreparationOptions preparation;
    if (settings.choice<Backend>("target-backend") == backends::Backend::kFlexml) {
      preparation.preparation = passes::Preparation::kFlexml;
    }
    passes::prepare(prepared, preparation);
    QuantizedNetwork network =
        backends::place(settings.choice<Backend>("target-backend"), std::move(prepared), options);
    passes::initialize_weight_scales(network);
    bool given = false;
    passes::calibrate_activations(network, {}, [&]() -> std::optional<at::Tensor> {
      return std::exchange(given, true) ? std::nullopt : std::optional(images);
    });
    const auto run = [&](auto make, runtime::Numerics numerics) {
      return make(network, runtime::ExecutorOptions{numerics, {}, 1})->run(images);
    };
    const at::Tensor plan = run(runtime::make_plan, runtime::Numerics::kQuantized);
    const at::Tensor plain = run(runtime::make_interpreter, runtime::Numerics::kQuantized);
    const at::Tensor in_float = run(runtime::make_interpreter, runtime::Numerics::kFloat);
    EXPECT_TRUE(at::isfinite(plan).all().item<bool>()) << words;
    EXPECT_FALSE(at::equal(plain, in_float)) << words << " changes nothing";
    // A value at a rounding boundary may flip by a code, no more.
    EXPECT_LE(plan.sub(plain).abs().max().item<float>(), 0.05F * in_float.abs().max().item<float>())
        << words;
  }
};

void walk(const Axes& axes, Walk& state, size_t axis, Choices& choices) {
  if (axis == axes.size()) return state.visit(choices);
  for (const char* value : axes[axis].values) {
    const bool is_default = value == axes[axis].values.front();
    if (!is_default) choices.emplace_back(axes[axis].option, value);
    walk(axes, state, axis + 1, choices);
    if (!is_default) choices.pop_back();
  }
}

TEST(EveryCombination, RunsOrIsRefused) {
  Walk state;
  Choices choices;
  walk(axes(), state, 0, choices);
  RecordProperty("legal", static_cast<int>(state.legal));
  std::printf("%ld legal combinations, %ld refused\n", static_cast<long>(state.legal),
              static_cast<long>(state.refused));
  EXPECT_GT(state.legal, 300);
}

TEST(EveryCombination, RunsOrIsRefusedWhereResidualAddsAreReleased) {
  const Axes few = {
      {"target-backend", {"fx", "flexml", "layerwise"}},
      {"quant-format", {"int", "float"}},
      {"act-bit-width", {"8", "0"}},
      {"act-quant-granularity", {"per_tensor", "per_group"}},
      {"scale-factor-type", {"float_scale", "po2_scale"}},
      {"act-quant-type", {"sym", "asym"}},
      {"act-quant-calibration-type", {"stats", "mse"}},
      {"act-scale-computation-type", {"static", "dynamic"}},
      {"bias-bit-width", {"32", "None"}},
  };
  Walk state;
  for (const char* adds : {"wide", "float"}) {
    Choices choices = {{"residual-adds", adds}};
    walk(few, state, 0, choices);
  }
  EXPECT_GT(state.legal, 50);
  EXPECT_GT(state.refused, 50);
}

}  // namespace
}  // namespace ptq::options
