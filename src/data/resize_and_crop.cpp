#include <algorithm>
#include <cmath>
#include <utility>

#include "data/decoders.h"
#include "data/image.h"
#include "data/resample.h"

namespace ptq::data {
namespace {

// One axis of the centre crop: which pixels of the resized axis it shows, and how many zeros stand
// before them.
struct CropAxis {
  Span shown;
  int64_t padding = 0;
};

CropAxis center(int64_t length, int64_t crop) {
  if (length < crop) return {{0, length}, (crop - length) / 2};
  // Python's round: halves go to the even number, as nearbyint does.
  const auto begin = static_cast<int64_t>(std::nearbyint(static_cast<double>(length - crop) / 2.0));
  return {{begin, begin + crop}, 0};
}

// int(resize * long / short) of torchvision: a division of doubles, truncated.
int64_t long_side(int64_t resize, int64_t longer, int64_t shorter) {
  return static_cast<int64_t>(static_cast<double>(resize * longer) / static_cast<double>(shorter));
}

struct Size {
  int64_t width = 0;
  int64_t height = 0;
};

Size resized(int64_t width, int64_t height, const Recipe& recipe) {
  const int64_t shorter = std::min(width, height);
  const int64_t longer = long_side(recipe.resize, std::max(width, height), shorter);
  return {width == shorter ? recipe.resize : longer, height == shorter ? recipe.resize : longer};
}

}  // namespace

cv::Mat resize_and_crop(const cv::Mat& image, const Recipe& recipe) {
  const auto [width, height] = resized(image.cols, image.rows, recipe);
  const CropAxis x = center(width, recipe.crop);
  const CropAxis y = center(height, recipe.crop);
  const auto size = static_cast<int>(recipe.crop);
  const bool is_padded = width < recipe.crop || height < recipe.crop;
  cv::Mat crop(size, size, CV_8UC3);
  if (is_padded) crop.setTo(0);
  resample(image, axis_weights(image.cols, width, x.shown, recipe.interpolation),
           axis_weights(image.rows, height, y.shown, recipe.interpolation),
           crop.ptr(static_cast<int>(y.padding)) + x.padding * 3, recipe.crop * 3);
  return crop;
}

cv::Mat decode_crop(FileBytes file, const Recipe& recipe) {
  const auto rows_seen = [&](int64_t width, int64_t height) {
    const int64_t rows = resized(width, height, recipe).height;
    const int64_t last = center(rows, recipe.crop).shown.end - 1;
    return inputs_of(height, rows, last, recipe.interpolation).end;
  };
  return resize_and_crop(decode_bytes(std::move(file), rows_seen).pixels, recipe);
}

}  // namespace ptq::data
