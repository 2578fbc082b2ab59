#pragma once

#include "export/export.h"

namespace ptq::exporting {

/// Lowest opset that is written: the first with per-channel DequantizeLinear.
inline constexpr int kLowestOpset = 13;
/// Highest: the first with 16-bit and 4-bit integers in QuantizeLinear and DequantizeLinear.
inline constexpr int kHighestOpset = 21;

/// The opset that the file gets: the one asked for, else the lowest that its quantizers need.
/// Throws ExportError if the one asked for is unknown or too low, naming the quantizer, and for
/// integers that no opset has.
int choose_opset(const quant::QuantizerTable& table, const ExportOptions& options);

}  // namespace ptq::exporting
