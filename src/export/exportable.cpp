#include "export/exportable.h"

#include "ptq/base/error.h"

namespace ptq::exporting {
namespace {

/// Why `format` does not have this quantizer; empty if it has.
std::string obstacle(const quant::Quantizer& quantizer, const Expressible& format) {
  if (quantizer.minifloat() != nullptr) return "is a minifloat";
  if (quantizer.granularity == quant::Granularity::kPerGroup) return "has a scale for each group";
  if (quantizer.timing == quant::Timing::kDynamic) return "takes its scale from each image";
  const bool is_wide = quant::bit_width(quantizer.format) > 8;
  if (quantizer.kind == quant::QuantizerKind::kActivation &&
      quantizer.granularity == quant::Granularity::kPerChannel &&
      (is_wide || !format.channels_of_activations)) {
    return "has a scale for each channel";
  }
  if (quantizer.truncation && (is_wide || !format.truncation)) {
    return "rounds the lowest bits of a mean away";
  }
  if (!format.fractional_zero_points && quantizer.calibration == quant::Calibration::kHqo &&
      quantizer.symmetry == quant::Symmetry::kAsymmetric) {
    return "has zero points that are not integers";
  }
  return "";
}

}  // namespace

std::string part_of_layer(const quant::Quantizer& quantizer) {
  switch (quantizer.kind) {
    case quant::QuantizerKind::kWeight:
      return "the weight of " + quantizer.layer;
    case quant::QuantizerKind::kBias:
      return "the bias of " + quantizer.layer;
    default:
      return "the activation quantizer at " + quantizer.layer;
  }
}

void check_quantizers(const quant::QuantizerTable& table, const Expressible& format) {
  for (const quant::Quantizer& quantizer : table.quantizers) {
    const std::string reason = obstacle(quantizer, format);
    if (!reason.empty()) {
      throw ExportError(format.format + " cannot express " + part_of_layer(quantizer) + ": it " +
                        reason);
    }
  }
}

}  // namespace ptq::exporting
