#include "data/random_view.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "ptq/base/invalid_option.h"

namespace ptq::data {
namespace {

constexpr double kNarrowest = 3.0 / 4;
constexpr double kWidest = 4.0 / 3;

/// The finalizer of SplitMix64.
uint64_t mixed(uint64_t x) {
  x ^= x >> 30;
  x *= 0xBF58476D1CE4E5B9U;
  x ^= x >> 27;
  x *= 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

/// Numbers of one view. The n-th of them depends on nothing but what it was made with.
class Draws {
 public:
  Draws(uint64_t seed, int64_t item, int64_t view)
      : state_(mixed(mixed(mixed(seed + kStep) + static_cast<uint64_t>(item) + kStep) +
                     static_cast<uint64_t>(view) + kStep)) {}

  /// In [0, 1).
  double next() { return static_cast<double>(mixed(state_ += kStep) >> 11) * 0x1p-53; }
  double between(double low, double high) { return low + (high - low) * next(); }
  /// A part of an axis with so many pixels.
  Span part(int64_t size, int64_t length) {
    const auto begin = static_cast<int64_t>(next() * static_cast<double>(length - size + 1));
    return {begin, begin + size};
  }

 private:
  static constexpr uint64_t kStep = 0x9E3779B97F4A7C15U;
  uint64_t state_;
};

struct Sides {
  int64_t width = 0;
  int64_t height = 0;
};

Sides sides_of(double area, double ratio) {
  return {std::lround(std::sqrt(area * ratio)), std::lround(std::sqrt(area / ratio))};
}

std::optional<Sides> drawn_sides(int64_t width, int64_t height, double smallest_area,
                                 Draws& draws) {
  constexpr int kTries = 10;
  const auto all = static_cast<double>(width * height);
  for (int i = 0; i < kTries; ++i) {
    const double area = all * draws.between(smallest_area, 1);
    const double ratio = std::exp(draws.between(std::log(kNarrowest), std::log(kWidest)));
    const Sides sides = sides_of(area, ratio);
    const bool fits = sides.width <= width && sides.height <= height;
    if (fits && sides.width > 0 && sides.height > 0) return sides;
  }
  return std::nullopt;
}

Sides largest_sides(int64_t width, int64_t height) {
  const auto scaled = [](int64_t length, double by) {
    return std::max<int64_t>(1, std::lround(static_cast<double>(length) * by));
  };
  return {std::min(width, scaled(height, kWidest)),
          std::min(height, scaled(width, 1 / kNarrowest))};
}

Span centre(int64_t size, int64_t length) {
  const int64_t begin = (length - size) / 2;
  return {begin, begin + size};
}

void mirror(cv::Mat& crop) {
  for (int y = 0; y < crop.rows; ++y) {
    auto* row = crop.ptr<cv::Vec3b>(y);
    std::reverse(row, row + crop.cols);
  }
}

}  // namespace

void check_augmentation(const Augmentation& augmentation) {
  if (augmentation.views < 0 || augmentation.views > 1000) {
    throw InvalidOption("augmentation.views", "must lie between 0 and 1000");
  }
  if (!(augmentation.smallest_area > 0 && augmentation.smallest_area <= 1)) {
    throw InvalidOption("augmentation.smallest_area", "must be above 0 and at most 1");
  }
}

View random_view(int64_t width, int64_t height, const Augmentation& augmentation, int64_t item,
                 int64_t number) {
  Draws draws(augmentation.seed, item, number);
  View view;
  view.is_mirrored = draws.next() < 0.5;
  if (const auto sides = drawn_sides(width, height, augmentation.smallest_area, draws)) {
    view.columns = draws.part(sides->width, width);
    view.rows = draws.part(sides->height, height);
    return view;
  }
  const Sides sides = largest_sides(width, height);
  view.columns = centre(sides.width, width);
  view.rows = centre(sides.height, height);
  return view;
}

cv::Mat crop_of_view(const cv::Mat& image, const View& view, const Recipe& recipe) {
  const cv::Mat part =
      image(cv::Range(static_cast<int>(view.rows.begin), static_cast<int>(view.rows.end)),
            cv::Range(static_cast<int>(view.columns.begin), static_cast<int>(view.columns.end)));
  const auto size = static_cast<int>(recipe.crop);
  const Span all = {0, recipe.crop};
  cv::Mat crop(size, size, CV_8UC3);
  resample(part, axis_weights(part.cols, recipe.crop, all, recipe.interpolation),
           axis_weights(part.rows, recipe.crop, all, recipe.interpolation), crop.ptr(0),
           recipe.crop * 3);
  if (view.is_mirrored) mirror(crop);
  return crop;
}

}  // namespace ptq::data
