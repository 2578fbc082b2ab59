#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ptq/base/error.h"
#include "ptq/ir/graph.h"
#include "ptq/quant/quantizer.h"
#include "quant/qparams.h"

/// THE arithmetic of layers whose inputs and weights are integers (docs/integer-arithmetic.md):
///
///   a = sum over (q_x - z_x) (q_w - z_w) + q_b      exact, |a| < 2^31
///   y = float32(a) * (s_x * s_w)                    one conversion, two products, each rounded
///
/// half to even; a float bias is added to y, and what follows is as with floats. Sums of integers
/// do not depend on their order, and everything after them is one element's own: so the result has
/// the same bits on every processor, with any number of threads, at any batch size.
namespace ptq::quant {

/// Where the codes of one scale lie as bytes: byte = code + offset, between 0 and 255.
struct ByteFormat {
  QParams params;
  /// 128 for signed codes.
  int offset = 0;

  /// The byte of 0.
  int zero() const { return static_cast<int>(params.zero_point) + offset; }
  int smallest() const { return static_cast<int>(params.quant_min) + offset; }
  int largest() const { return static_cast<int>(params.quant_max) + offset; }
  bool operator==(const ByteFormat& other) const {
    return params.scale == other.params.scale && params.zero_point == other.params.zero_point &&
           params.quant_min == other.params.quant_min &&
           params.quant_max == other.params.quant_max && offset == other.offset;
  }
};

/// NaN has no code. Who runs the step says where.
struct NotANumber : QuantizationError {
  NotANumber() : QuantizationError("a value to be quantized is not a number (NaN)") {}
};

inline float dequantize(uint8_t byte, const ByteFormat& format) {
  return dequantize(static_cast<float>(byte - format.offset), format.params);
}

/// y of an accumulator; `scale` is s_x * s_w.
inline float accumulated_value(int32_t accumulator, float scale) {
  return static_cast<float>(accumulator) * scale;
}

/// The format of an activation quantizer's codes; nothing unless they are integers of at most 8
/// bits with one static scale and a zero point that is one of them.
std::optional<ByteFormat> byte_format(const QuantizerTable& table, ir::QuantizerId id);

/// How x / s may be found as x * (1 / s): wherever the product lies further from a tie than its
/// error, both round to the same integer.
struct Reciprocal {
  float value;
  /// A distance to the integer nearby above which the division itself is needed; negative where it
  /// always is.
  float near_tie;
};
Reciprocal reciprocal_of(const QParams& params);

/// Codes of `count` floats as bytes, and back, on the calling thread. Throws QuantizationError for
/// a NaN, which no code stands for.
void quantize(const float* in, uint8_t* out, int64_t count, const ByteFormat& format);
void dequantize(const uint8_t* in, float* out, int64_t count, const ByteFormat& format);

/// What a layer multiplies its input's codes with. Entries of vectors are output channels.
struct IntegerLayer {
  /// int8 in the weight's own shape; asymmetric codes lie 128 lower.
  at::Tensor weight;
  /// Of the int8 codes; empty where all are 0.
  std::vector<int32_t> weight_zero;
  /// Empty without a quantized bias.
  std::vector<int32_t> bias;
  /// s_x * s_w.
  std::vector<float> scale;
  /// A bias that is not quantized; else undefined.
  at::Tensor float_bias;
};

/// The integers of a Conv, ConvTranspose or Linear whose input has the format `input`, or in words
/// why it has none: "its weight is not quantized".
std::variant<IntegerLayer, std::string> integer_layer(const ir::Index& index, const ir::Node& layer,
                                                      const QuantizerTable& table,
                                                      const ByteFormat& input);

/// Whether a sum of `terms` products of two values' codes always fits the accumulator.
bool fits_accumulator(int64_t terms, const ByteFormat& first, const ByteFormat& second);

}  // namespace ptq::quant
