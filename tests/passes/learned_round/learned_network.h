#pragma once

#include <memory>

#include "ptq/passes/learned_round.h"
#include "support/run_graph.h"

/// A network whose rounding is learned in tests.
namespace ptq::passes {

using testing::GraphBuilder;
using testing::normals;

/// A stem, a residual block with a depthwise convolution inside, and a classifier, at few bits.
struct Network {
  GraphBuilder builder{{3, 8, 8}};

  Network() {
    const auto stem = quantized(builder.conv(builder.fake_quantize(builder.input(), 0.03), 6));
    const auto split = builder.fake_quantize(builder.add(ir::Relu{}, {stem}), 0.02, false);
    const auto inner = quantized(builder.conv(split, 6, {3, 1, 1, 6}));
    const auto relu = builder.fake_quantize(builder.add(ir::Relu{}, {inner}), 0.02, false);
    const auto last = quantized(builder.conv(relu, 6, {1, 1, 0}));
    const auto sum = builder.fake_quantize(builder.add(ir::Add{}, {last, split}), 0.03);
    builder.graph.output = quantized(builder.linear(builder.flatten(sum), 5));
  }

  ir::Graph& graph() { return builder.graph; }
  quant::QuantizerTable& table() { return builder.table; }

  std::vector<at::Tensor> weights() {
    std::vector<at::Tensor> all;
    for (const ir::Node& node : graph().nodes) {
      if (const ir::Weighted* layer = ir::weighted(node.op)) all.push_back(layer->weight.value);
    }
    return all;
  }

 private:
  ir::ValueId quantized(ir::ValueId value) {
    builder.quantize_weight(value, 0.2);
    return value;
  }
};

/// Three batches of six images. Neighbouring pixels are alike, as in photographs: where inputs are
/// noise, there is little to learn.
inline NextBatch calibration() {
  auto given = std::make_shared<unsigned>(0);
  return [given]() -> std::optional<at::Tensor> {
    if (*given == 3) return std::nullopt;
    return normals({6, 3, 2, 2}, 1, ++*given + 40).repeat_interleave(4, 2).repeat_interleave(4, 3);
  };
}

inline LearnedRoundOptions quick() {
  LearnedRoundOptions options;
  options.iterations = 60;
  options.learning_rate = 0.05;
  options.batch_size = 6;
  options.seed = 5;
  return options;
}

}  // namespace ptq::passes
