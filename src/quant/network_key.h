#pragma once

#include <string>

#include "ptq/quant/quantized_network.h"

namespace ptq::quant {

/// SHA-256 in hexadecimal digits of all that a network computes with: operations and their
/// attributes, every byte of every tensor, quantizers and scales. Names of values do not count,
/// those of nodes do.
std::string network_key(const QuantizedNetwork& network);

/// The same of the layers with a quantized weight alone: their names, weights, quantizers of these
/// and scales. Networks that differ in quantizers of activations and biases have the same.
std::string weights_key(const QuantizedNetwork& network);

}  // namespace ptq::quant
