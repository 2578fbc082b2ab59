#include "export/onnx/opset.h"

#include <algorithm>

#include "export/exportable.h"
#include "ptq/base/error.h"

namespace ptq::exporting {
namespace {

constexpr int kOpsetOf16Bits = 21;

struct Need {
  int opset = kLowestOpset;
  std::string reason;
};

/// What one quantizer asks for. Biases are int32 in every opset.
Need need_of(const quant::Quantizer& quantizer) {
  if (quantizer.kind == quant::QuantizerKind::kBias) return {};
  const int bits = quant::bit_width(quantizer.format);
  const std::string words = part_of_layer(quantizer) + " has " + std::to_string(bits) + " bits";
  if (bits > 16)
    throw ExportError("ONNX has no integers of more than 16 bits for quantization, and " + words);
  if (bits > 8) return {kOpsetOf16Bits, words};
  return {};
}

Need greatest_need(const quant::QuantizerTable& table, const ExportOptions& options) {
  Need greatest;
  if (options.int4_weights) greatest = {kOpsetOf16Bits, "weights are to be int4 tensors"};
  for (const quant::Quantizer& quantizer : table.quantizers) {
    const Need need = need_of(quantizer);
    if (need.opset > greatest.opset) greatest = need;
  }
  return greatest;
}

}  // namespace

int choose_opset(const quant::QuantizerTable& table, const ExportOptions& options) {
  const Need need = greatest_need(table, options);
  if (!options.opset) return need.opset;
  const std::string asked = "ONNX opset " + std::to_string(*options.opset);
  if (*options.opset < kLowestOpset || *options.opset > kHighestOpset) {
    throw ExportError(asked + " cannot be written: it must be between " +
                      std::to_string(kLowestOpset) + " and " + std::to_string(kHighestOpset));
  }
  if (*options.opset < need.opset) {
    throw ExportError(asked + " is too low: " + need.reason + ", which needs opset " +
                      std::to_string(need.opset));
  }
  return *options.opset;
}

}  // namespace ptq::exporting
