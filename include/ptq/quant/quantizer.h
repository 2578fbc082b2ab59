#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ptq/ir/op.h"
#include "ptq/quant/format.h"

/// What a quantizer is: the integers it may use, the scale it shares, the values calibration found.
namespace ptq::quant {

enum class QuantizerKind { kWeight, kActivation, kBias };
enum class Symmetry { kSymmetric, kAsymmetric };
enum class Granularity { kPerTensor, kPerChannel, kPerGroup };
/// Any scale, or only powers of two.
enum class ScaleType { kFloat, kPowerOfTwo };
/// How scale and zero point are found: from statistics, by a search for the least squared error, or
/// by half-quadratic optimization (only weights).
enum class Calibration { kStatistics, kMse, kHqo };
/// Once, by calibration, or from every image anew. Weights are always static.
enum class Timing { kStatic, kDynamic };

/// Index into QuantizerTable::scales.
using ScaleId = int;

/// One scale, perhaps shared by several quantizers (operands of an add, of a concat). The
/// statistic of each call of each sharing quantizer enters the mean (reference-contract 3.5);
/// every sharer divides the mean by the same `threshold_divisor`.
struct Scale {
  double threshold_divisor = 1;
  /// float32: scalar [], per channel [C], or per group (quantizer.h, group_shape). Undefined until
  /// weights are initialized or activations calibrated; stays undefined for biases, whose scale is
  /// derived (quant/layer_quantizers.h), and for dynamic activations.
  at::Tensor value;
};

/// Codes whose lowest bits are rounded away. The mean of `count` codes of scale s is a multiple of
/// s / count; of that code, dropped_bits bits go (reference-contract 9, average pool):
///
///   y = round_half_even(x / (s / count)),  q = clamp(round_half_even(y / 2^dropped_bits))
///
/// and the scale of q is (s / count) * 2^dropped_bits.
struct Truncation {
  /// The quantizer whose codes are averaged.
  ir::QuantizerId of = ir::kNoQuantizer;
  int64_t count = 1;
  int dropped_bits = 0;
};

struct Quantizer {
  QuantizerKind kind = QuantizerKind::kActivation;
  /// Module of the layer for weights and biases, producer of the value for activations.
  std::string layer;
  NumberFormat format = IntegerFormat{};
  /// Asymmetric quantizers have unsigned integer formats.
  Symmetry symmetry = Symmetry::kSymmetric;
  Granularity granularity = Granularity::kPerTensor;
  ScaleType scale_type = ScaleType::kFloat;
  Calibration calibration = Calibration::kStatistics;
  Timing timing = Timing::kStatic;
  /// Axis of a per-channel scale, or axis along which groups lie.
  int64_t axis = 0;
  int64_t group_size = 32;
  ScaleId scale = -1;
  /// As many as scales, float32, whole numbers except for HQO's. Undefined for symmetric and
  /// dynamic quantizers, and until it is found.
  at::Tensor zero_point;
  /// Of symmetric integer activations per tensor, whose scale then is derived (derive_scales).
  std::optional<Truncation> truncation;

  const IntegerFormat* integer() const { return std::get_if<IntegerFormat>(&format); }
  const MinifloatFormat* minifloat() const { return std::get_if<MinifloatFormat>(&format); }
  /// Whether one scale and zero point, known before the run, serve all values.
  bool is_static_per_tensor() const {
    return timing == Timing::kStatic && granularity == Granularity::kPerTensor;
  }
};

/// What a threshold of this quantizer is divided by (reference-contract 3.1, 3.6, 3.9, 3.10): T of
/// the integers, 2^(b-1) or 2^b with power-of-two scales; the largest number F of a minifloat; in
/// groups with power-of-two scales OCP's rule, 2^(b-2) for signed integers, 2^(b-1) for unsigned
/// ones, and 2^floor(log2 F) for minifloats.
double threshold_divisor(const Quantizer& quantizer);

/// Whether calibration has to find the scale: that of a static activation per tensor or channel
/// which does not follow from another one.
bool needs_calibration(const Quantizer& quantizer);

/// Sizes of the scales of groups: `sizes` with `axis` divided by the group size, rounded up.
std::vector<int64_t> group_shape(c10::IntArrayRef sizes, int64_t axis, int64_t group_size);

/// All quantizers of a graph, addressed by ir::QuantizerId.
struct QuantizerTable {
  std::vector<Quantizer> quantizers;
  std::vector<Scale> scales;

  const Quantizer& at(ir::QuantizerId id) const { return quantizers.at(static_cast<size_t>(id)); }
  Quantizer& at(ir::QuantizerId id) { return quantizers.at(static_cast<size_t>(id)); }
  const Scale& scale_of(ir::QuantizerId id) const {
    return scales.at(static_cast<size_t>(at(id).scale));
  }
  Scale& scale_of(ir::QuantizerId id) { return scales.at(static_cast<size_t>(at(id).scale)); }

  /// Adds a quantizer with a scale of its own, divisor by threshold_divisor().
  ir::QuantizerId add(Quantizer quantizer);
  /// Adds a quantizer that uses the scale of `other`.
  ir::QuantizerId add_sharing_scale(Quantizer quantizer, ir::QuantizerId other);

  /// Gives truncating quantizers the scales that follow from those they truncate.
  void derive_scales();
};

/// The table of a graph without quantizers.
inline const QuantizerTable kNoQuantizers{};

}  // namespace ptq::quant
