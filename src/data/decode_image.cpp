#include <algorithm>
#include <condition_variable>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <new>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <utility>

#include "base/limits.h"
#include "data/decoders.h"
#include "data/item_file.h"
#include "ptq/base/error.h"

namespace ptq::data {
namespace {

constexpr int64_t kMostPixels = 178'956'970;

/// Of images that are being decoded, by all threads together; one larger image is decoded alone.
constexpr int64_t kMostDecodedBytes = int64_t{1} << 30;
constexpr int64_t kMostBytesOfOne = int64_t{3} << 29;

/// What threads decode at once, in bytes.
class DecodeBudget {
 public:
  void take(int64_t bytes) {
    std::unique_lock<std::mutex> lock(mutex_);
    freed_.wait(lock, [&] { return taken_ == 0 || taken_ + bytes <= kMostDecodedBytes; });
    taken_ += bytes;
  }
  void give_back(int64_t bytes) {
    const std::lock_guard<std::mutex> lock(mutex_);
    taken_ -= bytes;
    freed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable freed_;
  int64_t taken_ = 0;
};

DecodeBudget& decode_budget() {
  static DecodeBudget budget;
  return budget;
}

std::shared_ptr<void> share_of_budget(int64_t bytes) {
  decode_budget().take(bytes);
  return {nullptr, [bytes](void*) { decode_budget().give_back(bytes); }};
}

bool has_at(const FileBytes& file, size_t offset, std::initializer_list<uint8_t> magic) {
  return file.size() >= offset + magic.size() &&
         std::equal(magic.begin(), magic.end(), file.begin() + static_cast<int64_t>(offset));
}

}  // namespace

void check_pixels(int64_t width, int64_t height) {
  if (width < 1 || height < 1) throw DecodeFailure("the image has no pixels");
  if (width <= kMostPixels / height) return;
  throw DecodeFailure("the image has " + std::to_string(width) + " x " + std::to_string(height) +
                      " pixels, more than the limit");
}

namespace {

std::shared_ptr<void> share_for(int64_t width, int64_t height, int64_t bytes_beside) {
  check_pixels(width, height);
  const std::string size = std::to_string(width) + " x " + std::to_string(height);
  const int64_t bytes = width * height * 3 + bytes_beside;
  if (bytes_beside > kMostBytesOfOne || bytes > kMostBytesOfOne) {
    throw DecodeFailure("the image of " + size + " pixels needs " +
                        gib(static_cast<double>(bytes)) + " to decode, more than the " +
                        gib(static_cast<double>(kMostBytesOfOne)) + " allowed");
  }
  return share_of_budget(bytes);
}

}  // namespace

Image make_image(int64_t width, int64_t height, int64_t bytes_beside) {
  std::shared_ptr<void> share = share_for(width, height, bytes_beside);
  return {cv::Mat(static_cast<int>(height), static_cast<int>(width), CV_8UC3), std::move(share)};
}

namespace {

/// Into `pixels` where it has the image's size and type, else elsewhere; empty where OpenCV fails.
cv::Mat read_with_opencv(const cv::Mat& file, int flags, cv::Mat pixels = {}) {
  try {
    cv::imdecode(file, flags, &pixels);
  } catch (const cv::Exception& error) {
    if (error.code == cv::Error::StsNoMem) throw std::bad_alloc();
    pixels.release();
  }
  return pixels;
}

}  // namespace

bool decode_into(const cv::Mat& file, const cv::Mat& pixels) {
  constexpr int kFlags = cv::IMREAD_COLOR | cv::IMREAD_IGNORE_ORIENTATION;
  return read_with_opencv(file, kFlags, pixels).data == pixels.data;
}

Image decode_with_opencv(const FileBytes& file, int64_t width, int64_t height, int64_t bytes_beside,
                         Depth depth) {
  if (depth == Depth::kEight) {
    Image image = make_image(width, height, bytes_beside);
    if (!decode_into(cv::Mat(file), image.pixels)) image.pixels.release();
    return image;
  }
  Image image{{}, share_for(width, height, bytes_beside)};
  image.pixels = read_with_opencv(cv::Mat(file), cv::IMREAD_UNCHANGED);
  if (image.pixels.cols != width || image.pixels.rows != height) image.pixels.release();
  return image;
}

Image decode_bytes(FileBytes file, const RowsSeen& rows_seen) {
  if (file.empty()) throw DecodeFailure("the file is empty");
  if (has_at(file, 0, {0xFF, 0xD8, 0xFF})) return decode_jpeg(std::move(file), rows_seen);
  if (has_at(file, 0, {0x89, 'P', 'N', 'G'})) return decode_png(file);
  if (has_at(file, 0, {'B', 'M'})) return decode_bmp(file);
  if (has_at(file, 0, {'R', 'I', 'F', 'F'}) && has_at(file, 8, {'W', 'E', 'B', 'P'})) {
    return decode_webp(file);
  }
  if (has_at(file, 0, {'I', 'I', 42, 0}) || has_at(file, 0, {'M', 'M', 0, 42})) {
    return decode_tiff(file);
  }
  throw DecodeFailure("not a JPEG, PNG, BMP, WebP or TIFF image");
}

Image decode_image(const std::string& path) {
  try {
    return decode_bytes(read_item(item_at(path)));
  } catch (const DecodeFailure& failure) {
    throw DataError(path + ": " + failure.what());
  }
}

}  // namespace ptq::data
