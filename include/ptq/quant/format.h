#pragma once

#include <variant>

/// The numbers a quantizer may use.
namespace ptq::quant {

/// Integers (reference-contract 3.1).
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

/// Signed floating-point numbers of few bits: sign, exponent, mantissa, with subnormals, saturating
/// (reference-contract 3.10).
struct MinifloatFormat {
  /// kAllFinite: every code is a number. kOcp: codes of infinity and NaN as in the OCP 8-bit
  /// formats (E4M3: 1111.111 is NaN; E5M2: the top exponent is reserved); as kAllFinite for other
  /// splits.
  enum class Codes { kAllFinite, kOcp };

  int exponent_bit_width = 4;
  int mantissa_bit_width = 3;
  Codes codes = Codes::kAllFinite;

  int bit_width() const { return 1 + exponent_bit_width + mantissa_bit_width; }
  /// 2^(E-1) - 1.
  int exponent_bias() const;
  /// Exponent of the distance between subnormals: 1 - bias - M.
  int smallest_exponent() const;
  /// F, the largest number: what larger ones saturate to.
  double largest() const;

  bool operator==(const MinifloatFormat& other) const {
    return exponent_bit_width == other.exponent_bit_width &&
           mantissa_bit_width == other.mantissa_bit_width && codes == other.codes;
  }
};

using NumberFormat = std::variant<IntegerFormat, MinifloatFormat>;

int bit_width(const NumberFormat& format);
/// Whether negative numbers are there; true for every minifloat.
bool is_signed(const NumberFormat& format);

}  // namespace ptq::quant
