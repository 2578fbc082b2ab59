#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "ptq/ir/graph.h"
#include "ptq/quant/quantized_network.h"

/// What may have a bit width of its own.
namespace ptq::passes {

/// Quantizers that must have one bit width: those that share a scale (operands of adds and
/// concats), a rounding average and what it averages, weights that layers share, and weights of
/// linear layers that read one value (query, key and value: one kernel).
struct BitGroup {
  /// kWeight or kActivation.
  quant::QuantizerKind kind = quant::QuantizerKind::kWeight;
  /// The first member, and how many more there are: "layer1.0.add +3".
  std::string name;
  /// Ascending.
  std::vector<ir::QuantizerId> quantizers;
  /// In execution order: the layers whose weights they are, or those that read them. None for
  /// activations that no layer reads.
  std::vector<std::string> layers;
};

/// All groups of integer weights and activations, by kind and then in execution order.
std::vector<BitGroup> bit_groups(const QuantizedNetwork& network);

/// Multiplications of a layer with weights, or of a matrix product, for one image; 0 for any other
/// operation.
int64_t products_of(const ir::Graph& graph, const ir::Node& node);

/// A layer's quantizers, and how often it multiplies.
struct LayerCost {
  std::string layer;
  ir::QuantizerId weight_quantizer = ir::kNoQuantizer;
  at::Tensor weight;
  /// All that feed its input, through concats and anything else between; empty where it is not
  /// quantized.
  std::vector<ir::QuantizerId> inputs;
  /// products_of().
  int64_t products = 0;
};

/// Of the layers with quantized weights, in execution order.
std::vector<LayerCost> layer_costs(const ir::Graph& graph);

}  // namespace ptq::passes
