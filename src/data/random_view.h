#pragma once

#include <cstdint>
#include <opencv2/core/mat.hpp>

#include "data/resample.h"
#include "ptq/data/recipe.h"

namespace ptq::data {

/// A rectangle of an image, in pixels, as it is or mirrored.
struct View {
  Span columns;
  Span rows;
  bool is_mirrored = false;
};

/// View `number` of an image of this size, the `item`-th of its folder. It follows from the
/// arguments alone, so it is the same whoever draws it, and in whatever order. Where no rectangle
/// that is drawn fits the image, the largest one of its centre with allowed sides.
View random_view(int64_t width, int64_t height, const Augmentation& augmentation, int64_t item,
                 int64_t number);

/// The view of `image` (CV_8UC3, blue first) as a network's input: CV_8UC3 [crop, crop], rows
/// without gaps, red first. Resized as Pillow resizes the rectangle alone.
cv::Mat crop_of_view(const cv::Mat& image, const View& view, const Recipe& recipe);

}  // namespace ptq::data
