#pragma once

#include <limits>

#include "quant/fake_quantize.h"
#include "quant/weight_scale.h"

/// Short forms for tests.
namespace ptq::quant::testing {

inline constexpr auto kSymmetric = Symmetry::kSymmetric;
inline constexpr auto kAsymmetric = Symmetry::kAsymmetric;
inline constexpr auto kTensor = Granularity::kPerTensor;
inline constexpr auto kChannel = Granularity::kPerChannel;
inline constexpr auto kGroup = Granularity::kPerGroup;
inline constexpr auto kFloat = ScaleType::kFloat;
inline constexpr auto kPowers = ScaleType::kPowerOfTwo;
inline constexpr auto kStatistics = Calibration::kStatistics;
inline constexpr auto kMse = Calibration::kMse;
inline constexpr auto kHqo = Calibration::kHqo;
inline constexpr auto kOcp = MinifloatFormat::Codes::kOcp;
inline constexpr float kInfinity = std::numeric_limits<float>::infinity();

inline IntegerFormat full(int bits) { return {bits, true, false}; }
inline IntegerFormat narrow(int bits) { return {bits, true, true}; }
inline IntegerFormat unsigned_codes(int bits) { return {bits, false, false}; }

/// Asymmetric if the integers are unsigned.
inline Quantizer weight_quantizer(const NumberFormat& format, Granularity granularity,
                                  Calibration calibration = kStatistics,
                                  ScaleType scale_type = kFloat) {
  Quantizer quantizer;
  quantizer.kind = QuantizerKind::kWeight;
  quantizer.layer = "layer";
  quantizer.format = format;
  quantizer.symmetry = is_signed(format) ? kSymmetric : kAsymmetric;
  quantizer.granularity = granularity;
  quantizer.calibration = calibration;
  quantizer.scale_type = scale_type;
  if (granularity == kGroup) quantizer.axis = 1;
  return quantizer;
}

inline QuantizerTable solved(const at::Tensor& weight, const Quantizer& quantizer) {
  QuantizerTable table;
  const ir::QuantizerId id = table.add(quantizer);
  const ScaleAndZeroPoint solution = solve_weight_scale(weight, quantizer);
  table.scale_of(id).value = solution.scale;
  table.at(id).zero_point = solution.zero_point;
  return table;
}

inline double sum_of_sizes(const at::Tensor& x) { return x.abs().sum(at::kDouble).item<double>(); }

}  // namespace ptq::quant::testing
