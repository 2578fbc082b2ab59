#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "ptq/quant/quantized_network.h"

namespace ptq::quant {

/// Every quantizer of a calibrated graph in execution order: one entry per weight, bias and
/// FakeQuantize node, `{name, kind, layer, scale, zero_point, bit_width, signed, narrow_range,
/// axis, granularity, dynamic, format}`, with exponent_bit_width and mantissa_bit_width of
/// minifloats, group_size and scale_shape of groups. Weights and biases are named by their module,
/// activations by the module or operation that produces the value (`input` for the images). `layer`
/// is what the quantizer was made for. `scale` and `zero_point` are numbers, lists along `axis` for
/// a per-channel quantizer, or lists in row-major order for groups along `axis`; a dynamic
/// quantizer's scale is null.
nlohmann::json quantizer_dump(const QuantizedNetwork& network);

/// What an entry says of a quantizer before its scale is known.
nlohmann::json describe_quantizer(const std::string& name, const Quantizer& quantizer);

/// Writes it as JSON, complete or not at all. Throws OutputError naming the file.
void write_quantizer_dump(const std::string& path, const QuantizedNetwork& network);

}  // namespace ptq::quant
