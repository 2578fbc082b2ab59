#include "data/resample.h"

#include <algorithm>
#include <cmath>

#include "base/vector_loop.h"

namespace ptq::data {
namespace {

// An 8-bit pixel times a weight below 2, summed, fits 32 bits: 8 + 2 + 22.
constexpr int kFractionBits = 32 - 8 - 2;
constexpr int32_t kOne = int32_t{1} << kFractionBits;
constexpr int32_t kHalf = int32_t{1} << (kFractionBits - 1);

double triangle(double x) { return std::max(0.0, 1.0 - std::abs(x)); }

double keys_cubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
  if (x < 2.0) return (((x - 5.0) * x + 8.0) * x - 4.0) * a;
  return 0.0;
}

struct Kernel {
  double (*value)(double);
  double support;
};

Kernel kernel_of(Interpolation interpolation) {
  if (interpolation == Interpolation::kBicubic) return {keys_cubic, 2.0};
  return {triangle, 1.0};
}

int32_t fixed_point(double weight) {
  return static_cast<int32_t>((weight < 0 ? -0.5 : 0.5) + weight * kOne);
}

uint8_t to_byte(int32_t sum) {
  return static_cast<uint8_t>(std::clamp(sum >> kFractionBits, 0, 255));
}

AxisWeights identity(Span outputs) {
  AxisWeights axis;
  axis.taps = 1;
  for (int64_t i = outputs.begin; i < outputs.end; ++i) axis.first.push_back(i);
  axis.weights.assign(axis.first.size(), kOne);
  return axis;
}

// The inputs below one output, and their weights before rounding.
struct Window {
  int64_t first = 0;
  std::vector<double> weights;
};

Window window_of(double center, double reduction, const Kernel& kernel, int64_t input) {
  const double support = kernel.support * reduction;
  const auto first = std::max<int64_t>(static_cast<int64_t>(center - support + 0.5), 0);
  const auto end = std::min<int64_t>(static_cast<int64_t>(center + support + 0.5), input);
  Window window{first, {}};
  double sum = 0;
  for (int64_t t = first; t < end; ++t) {
    const double distance = static_cast<double>(t) - center + 0.5;
    window.weights.push_back(kernel.value(distance * (1.0 / reduction)));
    sum += window.weights.back();
  }
  if (sum != 0) {
    for (double& weight : window.weights) weight /= sum;
  }
  return window;
}

// Shorter windows get zero weights: behind them, or before them where the axis ends.
AxisWeights fixed_point(const std::vector<Window>& windows, int64_t input) {
  AxisWeights axis;
  for (const Window& window : windows) {
    axis.taps = std::max(axis.taps, static_cast<int64_t>(window.weights.size()));
  }
  axis.weights.assign(windows.size() * static_cast<size_t>(axis.taps), 0);
  auto row = axis.weights.begin();
  for (const Window& window : windows) {
    axis.first.push_back(std::min(window.first, input - axis.taps));
    std::transform(window.weights.begin(), window.weights.end(),
                   row + (window.first - axis.first.back()),
                   [](double weight) { return fixed_point(weight); });
    row += axis.taps;
  }
  return axis;
}

// A template, because a loop of known length over taps keeps everything in registers.
template <int64_t kTaps>
void resample_row(const uint8_t* in, const AxisWeights& columns, uint8_t* out) {
  const int64_t taps = kTaps > 0 ? kTaps : columns.taps;
  const int32_t* weight = columns.weights.data();
  for (const int64_t first : columns.first) {
    const uint8_t* pixel = in + first * 3;
    int32_t red = kHalf, green = kHalf, blue = kHalf;
    for (int64_t t = 0; t < taps; ++t, pixel += 3, ++weight) {
      red += pixel[0] * *weight;
      green += pixel[1] * *weight;
      blue += pixel[2] * *weight;
    }
    *out++ = to_byte(red);
    *out++ = to_byte(green);
    *out++ = to_byte(blue);
  }
}

using RowFunction = void (*)(const uint8_t*, const AxisWeights&, uint8_t*);

RowFunction row_function(int64_t taps) {
  switch (taps) {
    case 2:
      return resample_row<2>;
    case 3:
      return resample_row<3>;
    case 4:
      return resample_row<4>;
    case 5:
      return resample_row<5>;
    case 6:
      return resample_row<6>;
    default:
      return resample_row<0>;
  }
}

// Row by row over the whole width, so that the loops vectorise; the 32-bit product needs SSE 4.1.
constexpr VectorLoop combine_rows = [](const uint8_t* in, int64_t width, const int32_t* weights,
                                       int64_t count, int32_t* sums, uint8_t* out) {
  std::fill(sums, sums + width, kHalf);
  for (int64_t t = 0; t < count; ++t, in += width) {
    const int32_t weight = weights[t];
    for (int64_t x = 0; x < width; ++x) sums[x] += in[x] * weight;
  }
  for (int64_t x = 0; x < width; ++x) out[x] = to_byte(sums[x]);
};

}  // namespace

AxisWeights axis_weights(int64_t input, int64_t output, Span outputs, Interpolation interpolation) {
  if (input == output) return identity(outputs);
  const Kernel kernel = kernel_of(interpolation);
  const double scale = static_cast<double>(input) / static_cast<double>(output);
  std::vector<Window> windows;
  for (int64_t i = outputs.begin; i < outputs.end; ++i) {
    const double center = (static_cast<double>(i) + 0.5) * scale;
    windows.push_back(window_of(center, std::max(scale, 1.0), kernel, input));
  }
  return fixed_point(windows, input);
}

void resample(const Image& image, const AxisWeights& columns, const AxisWeights& rows, uint8_t* out,
              int64_t out_stride) {
  const Span source = rows.inputs();
  const int64_t width = columns.size() * 3;
  const RowFunction resample_one = row_function(columns.taps);
  std::vector<uint8_t> narrowed(static_cast<size_t>(source.size() * width));
  for (int64_t y = source.begin; y < source.end; ++y) {
    resample_one(image.row(y), columns, narrowed.data() + (y - source.begin) * width);
  }
  std::vector<int32_t> sums(static_cast<size_t>(width));
  const int32_t* weights = rows.weights.data();
  for (const int64_t first : rows.first) {
    combine_rows(narrowed.data() + (first - source.begin) * width, width, weights, rows.taps,
                 sums.data(), out);
    weights += rows.taps;
    out += out_stride;
  }
}

}  // namespace ptq::data
