#pragma once

#include <optional>
#include <string>

#include "ptq/ir/graph.h"
#include "ptq/quant/quantizer.h"

/// Backends decide where a prepared graph is quantized, and nothing else.
namespace ptq::backends {

enum class Backend { kFx };

struct PlacementOptions {
  int weight_bit_width = 8;
  quant::Granularity weight_granularity = quant::Granularity::kPerTensor;
  bool weight_narrow_range = false;
  int act_bit_width = 8;
  /// Outputs of ReLU, sigmoid and softmax use unsigned codes.
  bool unsigned_activations = true;
  /// 32, 16, or none: biases stay float.
  std::optional<int> bias_bit_width = 32;
};

/// Adds FakeQuantize nodes and layer quantizers to `graph`, scales still undefined.
quant::QuantizerTable place(Backend backend, ir::Graph& graph, const PlacementOptions& options);

}  // namespace ptq::backends
