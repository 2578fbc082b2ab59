#pragma once

#include <memory>
#include <opencv2/core/mat.hpp>
#include <string>

#include "ptq/data/recipe.h"

namespace ptq::data {

/// A decoded image.
struct Image {
  /// CV_8UC3, as OpenCV has it: blue, green, red.
  cv::Mat pixels;
  /// Its part of the memory that images may take while they are decoded; null outside the decoders.
  std::shared_ptr<void> share = nullptr;
};

/// Decodes a JPEG, PNG, BMP, WebP or TIFF file (by content, not by suffix) to the pixels that
/// Pillow's open().convert("RGB") gives: alpha is dropped, 16-bit grey is clipped at 255, CMYK is
/// converted without a profile, EXIF orientation is not applied. OpenCV decodes what it decodes to
/// these pixels (docs/images.md). Throws DataError, `path: reason`, for anything else, damaged and
/// truncated files included.
Image decode_image(const std::string& path);

/// The centre crop of the resized image (CV_8UC3, blue first), bit for bit what torchvision's
/// Resize and CenterCrop give on a Pillow image: short side to `resize`, long side to
/// int(resize * long / short), antialiased; zeros around it where the crop is larger. It is a
/// network's input: CV_8UC3 [crop, crop], rows without gaps, red first.
cv::Mat resize_and_crop(const cv::Mat& image, const Recipe& recipe);

}  // namespace ptq::data
