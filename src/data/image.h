#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ptq/data/recipe.h"

namespace ptq::data {

/// Rows from the top without gaps, three bytes a pixel: red, green, blue.
struct Image {
  int64_t width = 0;
  int64_t height = 0;
  std::vector<uint8_t> pixels;
  /// Its part of the memory that images may take while they are decoded; null outside the decoders.
  std::shared_ptr<void> share = nullptr;

  uint8_t* row(int64_t y) { return pixels.data() + y * width * 3; }
  const uint8_t* row(int64_t y) const { return pixels.data() + y * width * 3; }
};

/// Decodes a JPEG, PNG, BMP, WebP or TIFF file (by content, not by suffix) to the pixels that
/// Pillow's open().convert("RGB") gives: alpha is dropped, 16-bit grey is clipped at 255, CMYK is
/// converted without a profile, EXIF orientation is not applied. Throws DataError, `path: reason`,
/// for anything else, damaged and truncated files included.
Image decode_image(const std::string& path);

/// The centre crop of the resized image, uint8 [crop, crop, 3], bit for bit what torchvision's
/// Resize and CenterCrop give on a Pillow image: short side to `resize`, long side to
/// int(resize * long / short), antialiased; zeros around it where the crop is larger.
std::vector<uint8_t> resize_and_crop(const Image& image, const Recipe& recipe);

}  // namespace ptq::data
