#include "data/resample.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/vector_loop.h"
#include "data/resample_rows.h"

namespace ptq::data {
namespace {

constexpr int32_t kOne = int32_t{1} << kFractionBits;

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

// How the outputs of an axis that changes its length lie above its inputs.
struct Resizing {
  int64_t input;
  double scale, reduction, support;

  Resizing(int64_t inputs, int64_t output, const Kernel& kernel)
      : input(inputs),
        scale(static_cast<double>(inputs) / static_cast<double>(output)),
        reduction(std::max(scale, 1.0)),
        support(kernel.support * reduction) {}

  double center(int64_t i) const { return (static_cast<double>(i) + 0.5) * scale; }
  Span window(int64_t i) const {
    const auto first = std::max<int64_t>(static_cast<int64_t>(center(i) - support + 0.5), 0);
    return {first, std::min<int64_t>(static_cast<int64_t>(center(i) + support + 0.5), input)};
  }
};

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

using Words = int32_t __attribute__((vector_size(32)));
constexpr int64_t kWords = sizeof(Words) / sizeof(int32_t);

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
        resampler_(columns),
        source_(rows),
        next_(rows.begin),
        capacity_(at_once + 2),
        stride_(columns.size() * 3 + kBlock),
        storage_(static_cast<size_t>(capacity_ * stride_)),
        row_bytes_(image.cols * 3),
        copied_(std::max(int64_t{0}, image.rows - (RowPair::kBytesBehind - 1) / row_bytes_ - 1)),
        wanted_(static_cast<size_t>(at_once)) {
    for (int64_t y = copied_; y < image.rows; ++y) {
      const uint8_t* row = image.ptr(static_cast<int>(y));
      last_rows_.insert(last_rows_.end(), row, row + row_bytes_);
    }
    last_rows_.resize(last_rows_.size() + RowPair::kBytesBehind);
  }

  /// As many rows as are combined, from `first` on, which never goes back. Behind their columns a
  /// block may be read.
  const std::vector<const int32_t*>& from(int64_t first) {
    const int64_t end = first + static_cast<int64_t>(wanted_.size());
    for (; next_ < end; next_ += 2) {
      const int64_t other = std::min(next_ + 1, source_.end - 1);
      resampler_({{in(next_), in(other)}, {out(next_), out(other)}});
    }
    for (size_t i = 0; i < wanted_.size(); ++i) wanted_[i] = out(first + static_cast<int64_t>(i));
    return wanted_;
  }

 private:
  const uint8_t* in(int64_t y) const {
    return y < copied_ ? image_.ptr(static_cast<int>(y))
                       : last_rows_.data() + (y - copied_) * row_bytes_;
  }
  int32_t* out(int64_t y) { return storage_.data() + (y - source_.begin) % capacity_ * stride_; }

  const cv::Mat& image_;
  const RowResampler resampler_;
  const Span source_;
  int64_t next_;
  const int64_t capacity_, stride_;
  std::vector<int32_t> storage_;
  /// The last rows, from `copied_` on, with as many bytes behind them as are touched.
  const int64_t row_bytes_, copied_;
  std::vector<uint8_t> last_rows_;
  std::vector<const int32_t*> wanted_;
};

}  // namespace

AxisWeights axis_weights(int64_t input, int64_t output, Span outputs, Interpolation interpolation) {
  if (input == output) return identity(outputs);
  const Kernel kernel = kernel_of(interpolation);
  const Resizing resizing(input, output, kernel);
  AxisWeights axis;
  for (int64_t i = outputs.begin; i < outputs.end; ++i) {
    axis.taps = std::max(axis.taps, resizing.window(i).size());
  }
  axis.first.reserve(static_cast<size_t>(outputs.size()));
  axis.weights.assign(static_cast<size_t>(outputs.size() * axis.taps), 0);
  std::vector<double> exact;
  int32_t* row = axis.weights.data();
  for (int64_t i = outputs.begin; i < outputs.end; ++i, row += axis.taps) {
    const Span inputs = resizing.window(i);
    // Shorter windows get zero weights: behind them, or before them where the axis ends.
    axis.first.push_back(std::min(inputs.begin, input - axis.taps));
    add_weights(inputs, resizing.center(i), resizing.reduction, kernel, exact,
                row + (inputs.begin - axis.first.back()));
  }
  return axis;
}

Span inputs_of(int64_t input, int64_t output, int64_t i, Interpolation interpolation) {
  if (input == output) return {i, i + 1};
  return Resizing(input, output, kernel_of(interpolation)).window(i);
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
