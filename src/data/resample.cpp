#include "data/resample.h"

#include <algorithm>
#include <cmath>
#include <cstring>

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

// The inputs below one output, which has its centre at `center`.
Span window_of(double center, double support, int64_t input) {
  const auto first = std::max<int64_t>(static_cast<int64_t>(center - support + 0.5), 0);
  return {first, std::min<int64_t>(static_cast<int64_t>(center + support + 0.5), input)};
}

// Weights of a window: normalized, then rounded.
void add_weights(Span window, double center, double reduction, const Kernel& kernel,
                 std::vector<double>& exact, int32_t* rounded) {
  exact.clear();
  double sum = 0;
  for (int64_t t = window.begin; t < window.end; ++t) {
    const double distance = static_cast<double>(t) - center + 0.5;
    exact.push_back(kernel.value(distance * (1.0 / reduction)));
    sum += exact.back();
  }
  for (const double weight : exact) *rounded++ = fixed_point(sum != 0 ? weight / sum : weight);
}

using Bytes = uint8_t __attribute__((vector_size(32)));
using Words = int32_t __attribute__((vector_size(32)));
constexpr int64_t kWords = sizeof(Words) / sizeof(int32_t);

// Two pixels side by side as words: red, green, blue and what stands behind.
inline void widen(const uint8_t* one, const uint8_t* other, Words& words) {
  int32_t a = 0, b = 0;
  std::memcpy(&a, one, sizeof a);
  std::memcpy(&b, other, sizeof b);
  const auto bytes = reinterpret_cast<Bytes>(Words{a, 0, 0, 0, b, 0, 0, 0});
  words = reinterpret_cast<Words>(
      __builtin_shufflevector(bytes, bytes, 2, 4, 4, 4, 1, 4, 4, 4, 0, 4, 4, 4, 3, 4, 4, 4, 18, 20,
                              20, 20, 17, 20, 20, 20, 16, 20, 20, 20, 19, 20, 20, 20));
}

// Half a pixel pair; the fourth word is overwritten by the next pixel.
inline void store(const int32_t* words, int32_t* out) {
  std::memcpy(out, words, sizeof(Words) / 2);
}

inline void clip(Words& sums) {
  const Words least = {}, most = least + 255;
  sums >>= kFractionBits;
  sums = sums < least ? least : sums;
  sums = sums > most ? most : sums;
}

/// Two rows of bytes, blue first, and their resampled rows of words, red first. Of each, what lies
/// behind is touched: one byte, one word.
struct RowPair {
  const uint8_t* in[2];
  int32_t* out[2];
};

// A template, because a loop of known length over taps keeps everything in registers. Two rows
// share the weights and fill a vector.
template <int64_t kTaps>
constexpr VectorLoop resample_loop = [](const RowPair& rows, const AxisWeights& columns) {
  const int64_t taps = kTaps > 0 ? kTaps : columns.taps;
  const int32_t* weight = columns.weights.data();
  int64_t at = 0;
  for (const int64_t first : columns.first) {
    Words sums = Words{} + kHalf;
    for (int64_t t = 0; t < taps; ++t, ++weight) {
      Words pixels;
      widen(rows.in[0] + (first + t) * 3, rows.in[1] + (first + t) * 3, pixels);
      sums += pixels * *weight;
    }
    clip(sums);
    int32_t both[kWords];
    std::memcpy(both, &sums, sizeof sums);
    store(both, rows.out[0] + at);
    store(both + kWords / 2, rows.out[1] + at);
    at += 3;
  }
};

void resample_rows(const RowPair& rows, const AxisWeights& columns) {
  switch (columns.taps) {
    case 2:
      return resample_loop<2>(rows, columns);
    case 3:
      return resample_loop<3>(rows, columns);
    case 4:
      return resample_loop<4>(rows, columns);
    case 5:
      return resample_loop<5>(rows, columns);
    case 6:
      return resample_loop<6>(rows, columns);
    default:
      return resample_loop<0>(rows, columns);
  }
}

// Columns of a block, whose sums stay in registers.
constexpr int64_t kBlock = 4 * kWords;

constexpr VectorLoop combine_rows = [](const std::vector<const int32_t*>& rows,
                                       const int32_t* weights, int64_t width, uint8_t* out) {
  for (int64_t begin = 0; begin < width; begin += kBlock) {
    Words sums[4] = {Words{} + kHalf, Words{} + kHalf, Words{} + kHalf, Words{} + kHalf};
    for (size_t t = 0; t < rows.size(); ++t) {
      for (int64_t i = 0; i < 4; ++i) {
        Words words;
        std::memcpy(&words, rows[t] + begin + i * kWords, sizeof words);
        sums[i] += words * weights[t];
      }
    }
    int32_t values[kBlock];
    std::memcpy(values, sums, sizeof sums);
    const int64_t size = std::min(kBlock, width - begin);
    for (int64_t x = 0; x < size; ++x) out[begin + x] = to_byte(values[x]);
  }
};

/// The resampled rows that one row of the result combines, made when they are asked for and
/// forgotten soon: they stay near the processor.
class NarrowedRows {
 public:
  NarrowedRows(const cv::Mat& image, const AxisWeights& columns, Span rows, int64_t at_once)
      : image_(image),
        columns_(columns),
        source_(rows),
        next_(rows.begin),
        capacity_(at_once + 2),
        stride_(columns.size() * 3 + kBlock),
        storage_(static_cast<size_t>(capacity_ * stride_)),
        last_row_(image.ptr(image.rows - 1), image.ptr(image.rows - 1) + image.cols * 3),
        wanted_(static_cast<size_t>(at_once)) {
    last_row_.push_back(0);  // which the last pixel touches
  }

  /// As many rows as are combined, from `first` on, which never goes back. Behind their columns a
  /// block may be read.
  const std::vector<const int32_t*>& from(int64_t first) {
    const int64_t end = first + static_cast<int64_t>(wanted_.size());
    for (; next_ < end; next_ += 2) {
      const int64_t other = std::min(next_ + 1, source_.end - 1);
      resample_rows({{in(next_), in(other)}, {out(next_), out(other)}}, columns_);
    }
    for (size_t i = 0; i < wanted_.size(); ++i) wanted_[i] = out(first + static_cast<int64_t>(i));
    return wanted_;
  }

 private:
  const uint8_t* in(int64_t y) const {
    return y == image_.rows - 1 ? last_row_.data() : image_.ptr(static_cast<int>(y));
  }
  int32_t* out(int64_t y) { return storage_.data() + (y - source_.begin) % capacity_ * stride_; }

  const cv::Mat& image_;
  const AxisWeights& columns_;
  const Span source_;
  int64_t next_;
  const int64_t capacity_, stride_;
  std::vector<int32_t> storage_;
  std::vector<uint8_t> last_row_;
  std::vector<const int32_t*> wanted_;
};

}  // namespace

AxisWeights axis_weights(int64_t input, int64_t output, Span outputs, Interpolation interpolation) {
  if (input == output) return identity(outputs);
  const Kernel kernel = kernel_of(interpolation);
  const double scale = static_cast<double>(input) / static_cast<double>(output);
  const double reduction = std::max(scale, 1.0);
  const auto center = [&](int64_t i) { return (static_cast<double>(i) + 0.5) * scale; };
  const auto window = [&](int64_t i) {
    return window_of(center(i), kernel.support * reduction, input);
  };
  AxisWeights axis;
  for (int64_t i = outputs.begin; i < outputs.end; ++i) {
    axis.taps = std::max(axis.taps, window(i).size());
  }
  axis.first.reserve(static_cast<size_t>(outputs.size()));
  axis.weights.assign(static_cast<size_t>(outputs.size() * axis.taps), 0);
  std::vector<double> exact;
  int32_t* row = axis.weights.data();
  for (int64_t i = outputs.begin; i < outputs.end; ++i, row += axis.taps) {
    const Span inputs = window(i);
    // Shorter windows get zero weights: behind them, or before them where the axis ends.
    axis.first.push_back(std::min(inputs.begin, input - axis.taps));
    add_weights(inputs, center(i), reduction, kernel, exact,
                row + (inputs.begin - axis.first.back()));
  }
  return axis;
}

void resample(const cv::Mat& image, const AxisWeights& columns, const AxisWeights& rows,
              uint8_t* out, int64_t out_stride) {
  NarrowedRows narrowed(image, columns, rows.inputs(), rows.taps);
  const int32_t* weights = rows.weights.data();
  for (const int64_t first : rows.first) {
    combine_rows(narrowed.from(first), weights, columns.size() * 3, out);
    weights += rows.taps;
    out += out_stride;
  }
}

}  // namespace ptq::data
