#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "ptq/ir/op.h"

/// What a quantizer is: the integers it may use, the scale it shares, the values calibration found.
namespace ptq::quant {

/// The integers of a quantizer (reference-behaviour 3.1).
struct IntegerFormat {
  int bit_width = 8;
  bool is_signed = true;
  bool narrow_range = false;

  /// Smallest and largest code; exact in double for every bit width up to 32.
  double quant_min() const;
  double quant_max() const;

  /// What a threshold is divided by to give a float scale: 2^(b-1) for the signed full range (so
  /// the largest positive value saturates), else the largest code.
  double threshold_divisor() const;

  bool operator==(const IntegerFormat& other) const {
    return bit_width == other.bit_width && is_signed == other.is_signed &&
           narrow_range == other.narrow_range;
  }
};

enum class QuantizerKind { kWeight, kActivation, kBias };
enum class Granularity { kPerTensor, kPerChannel };

/// How an activation's threshold is found; more follow with their issue.
enum class Statistic { kAbsMax, kAbsPercentile };

/// Index into QuantizerTable::scales.
using ScaleId = int;

/// One scale, perhaps shared by several quantizers (operands of an add, of a concat). The
/// statistic of each call of each sharing quantizer enters the mean (reference-behaviour 3.5);
/// every sharer divides the mean by the same `threshold_divisor`.
struct Scale {
  double threshold_divisor = 1;
  /// Scalar [] or per channel [C], float32. Undefined until weights are initialized or activations
  /// calibrated; bias scales stay undefined, they are derived (quant/bias.h).
  at::Tensor value;
};

struct Quantizer {
  QuantizerKind kind = QuantizerKind::kActivation;
  /// Module of the layer for weights and biases, producer of the value for activations.
  std::string layer;
  IntegerFormat format;
  Granularity granularity = Granularity::kPerTensor;
  /// Weight axis of a per-channel scale.
  int64_t axis = 0;
  Statistic statistic = Statistic::kAbsMax;
  ScaleId scale = -1;
};

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

  /// Adds a quantizer with a scale of its own, divisor taken from its format.
  ir::QuantizerId add(Quantizer quantizer);
  /// Adds a quantizer that uses the scale of `other`.
  ir::QuantizerId add_sharing_scale(Quantizer quantizer, ir::QuantizerId other);
};

}  // namespace ptq::quant
