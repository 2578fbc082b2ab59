#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "ptq/data/image.h"

/// One function a format.
namespace ptq::data {

using FileBytes = std::vector<uint8_t>;

/// Why a file could not be decoded; the caller knows the path.
struct DecodeFailure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Each takes the whole file, and throws DecodeFailure.
Image decode_jpeg(const FileBytes& file);
Image decode_png(const FileBytes& file);
Image decode_webp(const FileBytes& file);
Image decode_bmp(const FileBytes& file);

/// Any of them, told apart by the first bytes. Throws DecodeFailure.
Image decode_file(const std::string& path);

/// As the others, but libtiff opens the file itself.
Image decode_tiff(const std::string& path);

/// An image with room for its pixels. Throws DecodeFailure for an empty one, and for one of more
/// pixels than Pillow opens (178,956,970): a broken or hostile header.
Image make_image(int64_t width, int64_t height);

/// One pixel of ink without a colour profile: 255 is full ink. Writes red, green, blue.
inline void cmyk_to_rgb(int cyan, int magenta, int yellow, int black, uint8_t* rgb) {
  const int light = 255 - black;
  const int inks[3] = {cyan, magenta, yellow};
  for (int c = 0; c < 3; ++c) {
    const int product = inks[c] * light + 128;  // / 255, rounded
    rgb[c] = static_cast<uint8_t>(light - ((product + (product >> 8)) >> 8));
  }
}

}  // namespace ptq::data
