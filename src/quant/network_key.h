#pragma once

#include <string>

#include "ptq/quant/quantized_network.h"

namespace ptq::quant {

/// SHA-256 in hexadecimal digits of all that a network computes with: operations and their
/// attributes, every byte of every tensor, quantizers and scales. Names of values do not count,
/// those of nodes do.
std::string network_key(const QuantizedNetwork& network);

}  // namespace ptq::quant
