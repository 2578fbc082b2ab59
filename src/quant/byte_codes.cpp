#include <cmath>

#include "base/vector_loop.h"
#include "ptq/base/error.h"
#include "ptq/quant/fake_quantize.h"
#include "ptq/quant/integer_arithmetic.h"

namespace ptq::quant {
namespace {

constexpr VectorLoop has_nan = [](const float* in, int64_t count) {
  int found = 0;
  for (int64_t i = 0; i < count; ++i) found |= in[i] != in[i] ? 1 : 0;
  return found != 0;
};

constexpr VectorLoop quantize_numbers = [](const float* in, uint8_t* out, int64_t count,
                                           const QParams& params, int offset) {
  const QParams p = params;
  for (int64_t i = 0; i < count; ++i) {
    out[i] = static_cast<uint8_t>(static_cast<int>(quantize(in[i], p)) + offset);
  }
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

void quantize(const float* in, uint8_t* out, int64_t count, const ByteFormat& format) {
  if (has_nan(in, count)) throw QuantizationError("a value that is to be quantized is no number");
  quantize_numbers(in, out, count, format.params, format.offset);
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
