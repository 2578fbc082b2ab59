#pragma once

#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include <cmath>

namespace ptq::testing {

/// By how many decibels two computations of one quantized network are closer to each other than
/// quantization brought them away from `in_float`, the float network's outputs of the same shape.
/// Float32 sums of another order move a value over a rounding boundary here and there, by one step;
/// quantization moves all of them, by up to half a step.
inline double decibels_below_noise(const at::Tensor& found, const at::Tensor& expected,
                                   const at::Tensor& in_float) {
  const auto power = [](const at::Tensor& difference) {
    return difference.to(at::kDouble).square().sum().item<double>();
  };
  return 10 * std::log10(power(expected.sub(in_float)) / power(found.sub(expected)));
}

/// Such a value changes few outputs, and none by much of the largest one.
inline void expect_same_but_for_flips(const at::Tensor& found, const at::Tensor& expected,
                                      const at::Tensor& in_float) {
  const double largest = expected.abs().max().item<double>();
  EXPECT_LT(found.sub(expected).abs().max().item<double>(), 0.02 * largest);
  EXPECT_GT(decibels_below_noise(found, expected, in_float), 10);
}

}  // namespace ptq::testing
