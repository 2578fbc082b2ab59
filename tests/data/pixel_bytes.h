#pragma once

#include <cstdint>
#include <opencv2/core.hpp>
#include <vector>

namespace ptq::data {

/// The bytes of an image without gaps, in the order they have.
inline std::vector<uint8_t> bytes_of(const cv::Mat& image) {
  return {image.data, image.data + image.total() * image.elemSize()};
}

/// The bytes of an image with blue first, as if red were first.
inline std::vector<uint8_t> red_first(const cv::Mat& image) {
  std::vector<uint8_t> bytes = bytes_of(image);
  for (size_t i = 0; i < bytes.size(); i += 3) std::swap(bytes[i], bytes[i + 2]);
  return bytes;
}

}  // namespace ptq::data
