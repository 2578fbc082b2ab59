#pragma once

#include <ATen/ops/cat.h>

#include <stdexcept>

#include "runtime/layer_sweep.h"
#include "support/graph_builder.h"

namespace ptq::testing {

using runtime::SweepOptions;
using runtime::SweepStop;
using runtime::SweepUnit;

/// Integers all the way, so that every kernel gives the same sums: two branches on one value, a
/// depthwise convolution, a residual addition, a pooled head.
struct SweepNetwork : GraphBuilder {
  std::vector<ir::ValueId> layers;

  SweepNetwork() : GraphBuilder({3, 8, 8}, Weights::kInteger) {
    const auto layer = [&](ir::ValueId made) {
      quantize_weight(made, 0.5);
      layers.push_back(made);
      return made;
    };
    const auto images = fake_quantize(input(), 1);
    const auto stem = layer(conv(images, 8));
    const auto x = fake_quantize(add(ir::Relu{}, {stem}), 2, false);
    ConvOptions depthwise;
    depthwise.groups = 8;
    const auto left = layer(conv(x, 8, depthwise));
    const auto right = layer(conv(x, 8));
    const auto sum = add(ir::Add{}, {left, right});
    const auto kept = fake_quantize(sum, 8);
    const auto features = flatten(kept);
    finish(layer(linear(features, 5)));
  }

  ir::Node& node(ir::ValueId output) {
    for (ir::Node& node : graph.nodes) {
      if (node.output() == output) return node;
    }
    throw std::out_of_range("no such node");
  }

  std::vector<SweepUnit> units() {
    std::vector<SweepUnit> units;
    for (const ir::ValueId layer : layers) units.push_back(runtime::unit_of(node(layer)));
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

inline at::Tensor whole_input(const SweepStop& stop, int stream) {
  std::vector<at::Tensor> batches;
  for (int64_t i = 0; i < stop.batches(); ++i) batches.push_back(stop.input(stream, i));
  return at::cat(batches);
}

inline at::Tensor whole_output(const SweepStop& stop, int stream) {
  std::vector<at::Tensor> batches;
  for (int64_t i = 0; i < stop.batches(); ++i) batches.push_back(stop.output(stream, i));
  return at::cat(batches);
}

inline void change(const SweepStop& stop) {
  for (ir::Node* node : stop.unit().nodes) {
    if (ir::Weighted* layer = ir::weighted(node->op)) {
      layer->weight.value = layer->weight.value.flip({0});
      layer->bias->value = layer->bias->value.add(1);
    }
  }
}

inline SweepOptions options_of(std::vector<runtime::Stream> streams) {
  SweepOptions options;
  options.streams = std::move(streams);
  options.threads = 2;
  return options;
}

}  // namespace ptq::testing
