#include "data/resample.h"

#include <algorithm>
#include <cmath>

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
  axis.count.assign(axis.first.size(), 1);
  axis.weights.assign(axis.first.size(), kOne);
  return axis;
}

void resample_row(const uint8_t* in, const AxisWeights& columns, uint8_t* out) {
  const auto width = static_cast<int64_t>(columns.first.size());
  for (int64_t x = 0; x < width; ++x) {
    const uint8_t* pixel = in + columns.first[static_cast<size_t>(x)] * 3;
    const int32_t* weight = columns.weights.data() + x * columns.taps;
    const int64_t count = columns.count[static_cast<size_t>(x)];
    int32_t red = kHalf, green = kHalf, blue = kHalf;
    for (int64_t t = 0; t < count; ++t, pixel += 3) {
      red += pixel[0] * weight[t];
      green += pixel[1] * weight[t];
      blue += pixel[2] * weight[t];
    }
    out[x * 3] = to_byte(red);
    out[x * 3 + 1] = to_byte(green);
    out[x * 3 + 2] = to_byte(blue);
  }
}

// Row by row over the whole width, so that the loops vectorise; the 32-bit product needs SSE 4.1.
__attribute__((target_clones("avx2", "sse4.1", "default"))) void combine_rows(
    const uint8_t* in, int64_t width, const int32_t* weights, int64_t count, int32_t* sums,
    uint8_t* out) {
  std::fill(sums, sums + width, kHalf);
  for (int64_t t = 0; t < count; ++t, in += width) {
    const int32_t weight = weights[t];
    for (int64_t x = 0; x < width; ++x) sums[x] += in[x] * weight;
  }
  for (int64_t x = 0; x < width; ++x) out[x] = to_byte(sums[x]);
}

}  // namespace

Span AxisWeights::inputs() const { return {first.front(), first.back() + count.back()}; }

AxisWeights axis_weights(int64_t input, int64_t output, Span outputs, Interpolation interpolation) {
  if (input == output) return identity(outputs);
  const Kernel kernel = kernel_of(interpolation);
  const double scale = static_cast<double>(input) / static_cast<double>(output);
  const double reduction = std::max(scale, 1.0);
  const double support = kernel.support * reduction;
  AxisWeights axis;
  axis.taps = static_cast<int64_t>(std::ceil(support)) * 2 + 1;
  std::vector<double> exact(static_cast<size_t>(axis.taps));
  for (int64_t i = outputs.begin; i < outputs.end; ++i) {
    const double center = (static_cast<double>(i) + 0.5) * scale;
    const auto first = std::max<int64_t>(static_cast<int64_t>(center - support + 0.5), 0);
    const auto end = std::min<int64_t>(static_cast<int64_t>(center + support + 0.5), input);
    std::fill(exact.begin(), exact.end(), 0.0);
    double sum = 0;
    for (int64_t t = 0; t < end - first; ++t) {
      const double distance = static_cast<double>(t + first) - center + 0.5;
      sum += exact[static_cast<size_t>(t)] = kernel.value(distance * (1.0 / reduction));
    }
    for (const double weight : exact) {
      axis.weights.push_back(fixed_point(sum != 0 ? weight / sum : weight));
    }
    axis.first.push_back(first);
    axis.count.push_back(end - first);
  }
  return axis;
}

void resample(const Image& image, const AxisWeights& columns, const AxisWeights& rows, uint8_t* out,
              int64_t out_stride) {
  const Span source = rows.inputs();
  const auto width = static_cast<int64_t>(columns.first.size()) * 3;
  std::vector<uint8_t> narrowed(static_cast<size_t>(source.size() * width));
  for (int64_t y = source.begin; y < source.end; ++y) {
    resample_row(image.row(y), columns, narrowed.data() + (y - source.begin) * width);
  }
  std::vector<int32_t> sums(static_cast<size_t>(width));
  for (size_t y = 0; y < rows.first.size(); ++y, out += out_stride) {
    combine_rows(narrowed.data() + (rows.first[y] - source.begin) * width, width,
                 rows.weights.data() + static_cast<int64_t>(y) * rows.taps, rows.count[y],
                 sums.data(), out);
  }
}

}  // namespace ptq::data
