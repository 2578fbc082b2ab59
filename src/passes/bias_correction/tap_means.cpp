#include "passes/bias_correction/tap_means.h"

#include <algorithm>

#include "base/vector_loop.h"
#include "ptq/base/error.h"

namespace ptq::passes {
namespace {

/// sums[c] += the sum over rows of values[row][c].
constexpr VectorLoop add_rows = [](const float* values, int64_t rows, int64_t channels,
                                   double* sums) {
  int64_t row = 0;
  for (; row + 4 <= rows; row += 4) {
    const float* a = values + row * channels;
    const float* b = a + channels;
    const float* c = b + channels;
    const float* d = c + channels;
#pragma omp simd
    for (int64_t i = 0; i < channels; ++i) {
      sums[i] += (static_cast<double>(a[i]) + static_cast<double>(b[i])) +
                 (static_cast<double>(c[i]) + static_cast<double>(d[i]));
    }
  }
  for (; row < rows; ++row) {
#pragma omp simd
    for (int64_t i = 0; i < channels; ++i) {
      sums[i] += static_cast<double>(values[row * channels + i]);
    }
  }
};

constexpr VectorLoop sum_of = [](const float* values, int64_t count) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < count; ++i) sum += static_cast<double>(values[i]);
  return sum;
};

bool is_channels_last(const at::Tensor& value) {
  return value.dim() == 4 && value.is_contiguous(at::MemoryFormat::ChannelsLast);
}

}  // namespace

TapMeans::TapMeans(Windows windows, int64_t channels, ChannelAxis axis, int lanes)
    : windows_(std::move(windows)), channels_(channels), axis_(axis) {
  means_.resize(windows_.taps.size() * static_cast<size_t>(channels));
  lanes_.assign(static_cast<size_t>(lanes), {means_, 0});
}

void TapMeans::add(const at::Tensor& value, int lane) {
  Lane& own = lanes_.at(static_cast<size_t>(lane));
  const int64_t images = value.numel() / (channels_ * windows_.inputs);
  own.images += images;
  if (axis_ == ChannelAxis::kLast) {
    return add_channels_last(value.contiguous().data_ptr<float>(), images, own);
  }
  if (is_channels_last(value)) return add_channels_last(value.data_ptr<float>(), images, own);
  add_channels_first(value.contiguous().data_ptr<float>(), images, own);
}

void TapMeans::add_channels_last(const float* values, int64_t images, Lane& lane) const {
  const auto add_run = [&](int64_t begin, int64_t rows, size_t of_class) {
    add_rows(values + begin * channels_, rows, channels_,
             lane.sums.data() + static_cast<int64_t>(of_class) * channels_);
  };
  // Without edges or strides all is one run, through all images.
  if (windows_.runs.size() == 1 &&
      windows_.runs[0].end - windows_.runs[0].begin == windows_.inputs) {
    return add_run(0, images * windows_.inputs, windows_.runs[0].of_class);
  }
  for (int64_t image = 0; image < images; ++image) {
    for (const Windows::Run& run : windows_.runs) {
      add_run(image * windows_.inputs + run.begin, run.end - run.begin, run.of_class);
    }
  }
}

void TapMeans::add_channels_first(const float* values, int64_t images, Lane& lane) const {
  for (int64_t plane = 0; plane < images * channels_; ++plane) {
    for (const Windows::Run& run : windows_.runs) {
      const int64_t sum = static_cast<int64_t>(run.of_class) * channels_ + plane % channels_;
      lane.sums[static_cast<size_t>(sum)] +=
          sum_of(values + plane * windows_.inputs + run.begin, run.end - run.begin);
    }
  }
}

void TapMeans::end_batch() {
  int64_t images = 0;
  for (const Lane& lane : lanes_) images += lane.images;
  if (images == 0) throw InternalError("a layer saw nothing of a calibration batch");
  const double windows = static_cast<double>(images) * static_cast<double>(windows_.outputs);
  for (size_t i = 0; i < means_.size(); ++i) {
    double sum = 0;
    for (const Lane& lane : lanes_) sum += lane.sums[i];
    means_[i] += sum / windows;
  }
  for (Lane& lane : lanes_) {
    std::fill(lane.sums.begin(), lane.sums.end(), 0);
    lane.images = 0;
  }
  ++batches_;
}

std::vector<double> TapMeans::mean() const {
  const auto channels = static_cast<size_t>(channels_);
  const auto kernel = static_cast<size_t>(windows_.kernel);
  std::vector<double> mean(channels * kernel);
  for (size_t of_class = 0; of_class < windows_.taps.size(); ++of_class) {
    for (const int64_t tap : windows_.taps[of_class]) {
      for (size_t channel = 0; channel < channels; ++channel) {
        mean[channel * kernel + static_cast<size_t>(tap)] +=
            means_[of_class * channels + channel] / static_cast<double>(batches_);
      }
    }
  }
  return mean;
}

}  // namespace ptq::passes
