#include <algorithm>
#include <cmath>

#include "base/vector_loop.h"
#include "ptq/base/error.h"
#include "quant/fake_quantize.h"
#include "quant/integer_arithmetic.h"

namespace ptq::quant {
namespace {

/// Where |x / s| is 512 or more, every code is the smallest or the largest one. Below, the rounding
/// of 1/s and of the product moves it by less than 2^-15 each, and so does that of x / s in the
/// definition; a sum with z moves either by 2^-15. Together that is less than what this leaves to a
/// tie.
constexpr float kNearTie = 0.5F - 1.0F / 4096;
/// Only numbers that no int32 holds are further from their integer.
constexpr float kNoTie = 1e6F;

bool is_power_of_two(float scale) {
  int exponent = 0;
  return std::frexp(scale, &exponent) == 0.5F;
}

/// Values that are tried together with multiplication, and divided together if one is near a tie.
constexpr int64_t kBlock = 64;

inline uint8_t byte_of(float code, const QParams& p, int offset) {
  const float below_max = code > p.quant_max ? p.quant_max : code;
  const float inside = below_max >= p.quant_min ? below_max : p.quant_min;
  return static_cast<uint8_t>(static_cast<int>(inside) + offset);
}

/// Whether some value was near a tie, or no number.
inline bool multiply(const float* in, uint8_t* out, int64_t count, const QParams& p, int offset,
                     const Reciprocal& r) {
  int near = 0;
  for (int64_t i = 0; i < count; ++i) {
    const float y = in[i] * r.value + p.zero_point;
    const float code = std::nearbyint(y);
    near |= std::fabs(y - code) <= r.near_tie ? 0 : 1;
    out[i] = byte_of(code, p, offset);
  }
  return near != 0;
}

/// Whether some value was no number.
inline bool divide(const float* in, uint8_t* out, int64_t count, const QParams& p, int offset) {
  int nan = 0;
  for (int64_t i = 0; i < count; ++i) {
    const float code = std::nearbyint(in[i] / p.scale + p.zero_point);
    nan |= code == code ? 0 : 1;
    out[i] = byte_of(code, p, offset);
  }
  return nan != 0;
}

/// Whether some value was no number.
constexpr VectorLoop quantize_bytes = [](const float* in, uint8_t* out, int64_t count,
                                         const QParams& params, int offset,
                                         const Reciprocal& reciprocal) {
  const QParams p = params;
  const Reciprocal r = reciprocal;
  bool nan = false;
  for (int64_t begin = 0; begin < count; begin += kBlock, in += kBlock, out += kBlock) {
    const int64_t length = std::min(kBlock, count - begin);
    const bool near = length == kBlock ? multiply(in, out, kBlock, p, offset, r)
                                       : multiply(in, out, length, p, offset, r);
    if (near) nan = divide(in, out, length, p, offset) || nan;
  }
  return nan;
};

constexpr VectorLoop dequantize_bytes = [](const uint8_t* in, float* out, int64_t count,
                                           const QParams& params, int offset) {
  const QParams p = params;
  for (int64_t i = 0; i < count; ++i) out[i] = dequantize(static_cast<float>(in[i] - offset), p);
};

}  // namespace

std::optional<ByteFormat> byte_format(const QuantizerTable& table, ir::QuantizerId id) {
  const Quantizer& quantizer = table.at(id);
  const IntegerFormat* integer = quantizer.integer();
  if (integer == nullptr || integer->bit_width > 8 || !quantizer.is_static_per_tensor()) {
    return std::nullopt;
  }
  const ElementParams params = element_params(table, id);
  const auto* p = std::get_if<QParams>(&params);
  if (p == nullptr || p->zero_point != std::nearbyint(p->zero_point) ||
      p->zero_point < p->quant_min || p->zero_point > p->quant_max) {
    return std::nullopt;
  }
  return ByteFormat{*p, integer->is_signed ? 128 : 0};
}

Reciprocal reciprocal_of(const QParams& params) {
  const float value = 1 / params.scale;
  const float largest = std::max(
      {std::fabs(params.quant_min), std::fabs(params.quant_max), std::fabs(params.zero_point)});
  if (!std::isnormal(value) || largest > 256) return {0, -1};
  return {value, is_power_of_two(params.scale) ? kNoTie : kNearTie};
}

void quantize(const float* in, uint8_t* out, int64_t count, const ByteFormat& format) {
  const Reciprocal reciprocal = reciprocal_of(format.params);
  if (quantize_bytes(in, out, count, format.params, format.offset, reciprocal)) {
    throw NotANumber();
  }
}

void dequantize(const uint8_t* in, float* out, int64_t count, const ByteFormat& format) {
  dequantize_bytes(in, out, count, format.params, format.offset);
}

bool fits_accumulator(int64_t terms, const ByteFormat& first, const ByteFormat& second) {
  const auto largest = [](const ByteFormat& format) {
    return std::max<double>(format.largest() - format.zero(), format.zero() - format.smallest());
  };
  return static_cast<double>(terms) * largest(first) * largest(second) < 2147483648.0;
}

}  // namespace ptq::quant
