#pragma once

#include <string>

#include "ptq/quant/quantizer.h"

namespace ptq::exporting {

/// What a format says of quantizers that not every format does.
struct Expressible {
  /// Its name in messages.
  std::string format;
  /// Zero points between whole numbers.
  bool fractional_zero_points = false;
  /// A scale for each channel of an activation of up to 8 bits.
  bool channels_of_activations = false;
  /// quant::Truncation, of up to 8 bits.
  bool truncation = false;
};

/// Throws ExportError naming the layer for a minifloat, scales per group, scales found during the
/// run, and what `format` lacks.
void check_quantizers(const quant::QuantizerTable& table, const Expressible& format);

/// "the weight of layer1.0.conv1", ...: where a quantizer stands, for messages.
std::string part_of_layer(const quant::Quantizer& quantizer);

}  // namespace ptq::exporting
