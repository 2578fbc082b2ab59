#pragma once

#include <cstdint>
#include <string>

#include "ptq/quant/quantized_network.h"

namespace ptq::quant {

/// Throws DataError naming the file if it cannot be read or is none of write_quantizer_dump.
void check_quantizer_dump(const std::string& path);

/// Scales and zero points of weights and activations from a file of write_quantizer_dump, in place
/// of calibration; those of biases follow from them. Returns how many quantizers the file has.
///
/// Throws DataError as above, and QuantizationError, naming file and quantizer, unless the file is
/// of the same quantizers at the same places of the graph, each with as many scales, all of them
/// numbers above 0. A bias that a correction adds may be in the file before its layer has it.
int64_t load_quantizers(const std::string& path, QuantizedNetwork& network);

}  // namespace ptq::quant
