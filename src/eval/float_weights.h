#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ptq/ir/graph.h"
#include "ptq/quant/quantized_network.h"

namespace ptq::eval {

/// Weights of a placed network that no quantizer stands at: those of layers without one, and those
/// inside operators that the program only passes on to LibTorch. A weight that several nodes read
/// counts once.
struct FloatWeights {
  int64_t count = 0;
  /// All weights, quantized ones too.
  int64_t of = 0;
  /// Of their values, the part that stays in float: 0 to 1.
  double share = 0;
  /// Where they are: "lstm (aten::lstm)", each node once.
  std::vector<std::string> places;
};
FloatWeights float_weights(const ir::Graph& graph);

/// Whether what stays in float is more than half of the network.
bool is_mostly_float(const FloatWeights& weights);

/// "2 of 5 weights stay in float (30 % of their values): conv (conv), ..."; empty for none.
std::string words(const FloatWeights& weights);

/// One line a place, for --explain.
std::vector<std::string> explanation(const FloatWeights& weights);

/// Sentences about layers whose biases need more codes than they have, once scales are found.
std::vector<std::string> suspicions_of_biases(const QuantizedNetwork& network);

}  // namespace ptq::eval
