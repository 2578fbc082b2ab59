#pragma once

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "data/image.h"

/// One function a format.
namespace ptq::data {

using FileBytes = std::vector<uint8_t>;

/// Why a file could not be decoded; the caller knows the path.
struct DecodeFailure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// How many rows of an image of this width and height will be looked at, from the first on.
using RowsSeen = std::function<int64_t(int64_t width, int64_t height)>;

/// Each takes the whole file, and throws DecodeFailure. Those that save time by it leave out rows
/// that will not be seen; these are black.
Image decode_jpeg(FileBytes file, const RowsSeen& rows_seen);
Image decode_png(const FileBytes& file);
Image decode_webp(const FileBytes& file);
Image decode_bmp(const FileBytes& file);

Image decode_tiff(const FileBytes& file);

/// Any of them, told apart by the first bytes; all rows without `rows_seen`. Throws DecodeFailure.
Image decode_bytes(FileBytes file, const RowsSeen& rows_seen = nullptr);

/// resize_and_crop of an image that is decoded as far as it is seen. Throws DecodeFailure.
cv::Mat decode_crop(FileBytes file, const Recipe& recipe);

/// OpenCV decodes a file's bytes into `pixels`, CV_8UC3, if they are an image of that size. False
/// where it fails or sees another size.
bool decode_into(const cv::Mat& file, const cv::Mat& pixels);

enum class Depth { kEight, kUnchanged };

/// What OpenCV makes of a file's bytes, of which its headers promise `width` x `height` pixels:
/// CV_8UC3, or with Depth::kUnchanged the file's own type. Orientation is not applied. The image is
/// empty where OpenCV fails or sees another size. `bytes_beside` and what is thrown: as make_image.
Image decode_with_opencv(const FileBytes& file, int64_t width, int64_t height,
                         int64_t bytes_beside = 0, Depth depth = Depth::kEight);

/// Throws DecodeFailure for an image without pixels, and for one of more than Pillow opens
/// (178,956,970).
void check_pixels(int64_t width, int64_t height);

/// A CV_8UC3 image with room for its pixels. Throws DecodeFailure as check_pixels, and where it
/// needs more than 1.5 GiB: a broken or hostile header. `bytes_beside` is what the decoder needs
/// beside the pixels. Waits while the images of other threads take more than 1 GiB together; a
/// thread has one image at a time.
Image make_image(int64_t width, int64_t height, int64_t bytes_beside = 0);

/// One pixel of ink without a colour profile: 255 is full ink. Writes blue, green, red.
inline void cmyk_to_bgr(int cyan, int magenta, int yellow, int black, uint8_t* bgr) {
  const int light = 255 - black;
  const int inks[3] = {yellow, magenta, cyan};
  for (int c = 0; c < 3; ++c) {
    const int product = inks[c] * light + 128;  // / 255, rounded
    bgr[c] = static_cast<uint8_t>(light - ((product + (product >> 8)) >> 8));
  }
}

}  // namespace ptq::data
