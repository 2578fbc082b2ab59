#pragma once

#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <vector>

#include "ptq/data/recipe.h"

namespace ptq::data {

/// Half-open range of rows or columns.
struct Span {
  int64_t begin = 0;
  int64_t end = 0;

  int64_t size() const { return end - begin; }
};

/// Fixed-point weights of one resized axis, for the outputs of a span only. Output `i` of the span
/// is the sum over t < taps of weights[i * taps + t] * input[first[i] + t], divided by 2^22. Every
/// output has the same number of taps, the last ones perhaps zero: a loop whose length changes
/// from pixel to pixel costs more than the multiplications it saves.
struct AxisWeights {
  int64_t taps = 0;
  std::vector<int64_t> first;
  std::vector<int32_t> weights;

  /// Inputs that any output of the span reads.
  Span inputs() const { return {first.front(), first.back() + taps}; }
  int64_t size() const { return static_cast<int64_t>(first.size()); }
};

/// Weights that resize an axis of `input` pixels to `output`, as Pillow computes them: the
/// triangle (bilinear) or Keys' cubic with a = -1/2 (bicubic), widened by the reduction,
/// normalized in double and rounded to 22 fractional bits. An axis that keeps its length gets the
/// identity.
AxisWeights axis_weights(int64_t input, int64_t output, Span outputs, Interpolation interpolation);

/// Of an axis of `input` pixels, those below the output `i` of `output`; an axis that keeps its
/// length has but one.
Span inputs_of(int64_t input, int64_t output, int64_t i, Interpolation interpolation);

/// Columns, then rows, each rounded to 8 bits: a rectangle of the resized image (CV_8UC3, blue
/// first), three bytes a pixel, red first, written at `out` with `out_stride` bytes from row to
/// row.
void resample(const cv::Mat& image, const AxisWeights& columns, const AxisWeights& rows,
              uint8_t* out, int64_t out_stride);

}  // namespace ptq::data
