#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ptq/quant/quantized_network.h"

/// What an exported network is, in numbers: what a runtime can compute on integers, what it weighs,
/// and how wide its sums become.
namespace ptq::exporting {

/// Nodes of one kind. One runs on integers where every value that it reads holds codes of a
/// quantizer, and its weight is quantized if it has one; else it runs on floats, be they the sums
/// that a layer has just made.
struct OperatorCount {
  std::string kind;
  int64_t on_integers = 0;
  int64_t on_floats = 0;
};

/// A layer that multiplies integers with integers.
struct LayerBits {
  std::string layer;
  int weight_bits = 0;
  int input_bits = 0;
  /// The narrowest signed integer that holds every sum of products, in any order, for any input
  /// codes: per output channel the largest is P (hi - z) + N (lo - z), with P and N the sums of its
  /// positive and negative weights, and the smallest P (lo - z) + N (hi - z). In a transposed
  /// convolution all of a channel's weights count, though an output position meets only some.
  int accumulator_bits = 0;
  /// The same with the bias, where it is quantized, anywhere in the sum; else accumulator_bits.
  int accumulator_bits_with_bias = 0;
};

struct Truth {
  /// In alphabetical order, without constants.
  std::vector<OperatorCount> operators;
  /// In execution order.
  std::vector<LayerBits> layers;
  /// Everything the network holds, each code in its own bit width (rounded up to bytes a tensor),
  /// scales and what is not quantized as it is; and the same network in float32.
  int64_t packed_bytes = 0;
  int64_t float_bytes = 0;
};

/// Of a calibrated graph whose quantizers are static integers.
Truth truth_of(const QuantizedNetwork& network);

/// The scale that every logit is a multiple of (after its zero point); nothing where the network
/// does not end in a quantizer with one scale.
std::optional<double> output_step(const QuantizedNetwork& network);

}  // namespace ptq::exporting
