#pragma once

#include <cstdint>
#include <fstream>
#include <functional>
#include <random>
#include <stdexcept>
#include <string>

/// Small image files without an image library: 24-bit BMP.
namespace ptq::support {

struct Size {
  int width = 0;
  int height = 0;
};

/// Calls `next` once a colour value.
inline void write_bmp(const std::string& path, Size size, const std::function<int()>& next) {
  const int row = (size.width * 3 + 3) / 4 * 4;
  std::string bytes;
  const auto put = [&bytes](int64_t value, int width) {
    for (int i = 0; i < width; ++i) bytes.push_back(static_cast<char>((value >> (8 * i)) & 0xff));
  };
  bytes = "BM";
  put(54 + int64_t{row} * size.height, 4), put(0, 4), put(54, 4);
  put(40, 4), put(size.width, 4), put(size.height, 4), put(1, 2), put(24, 2);
  put(0, 4), put(0, 4), put(2835, 4), put(2835, 4), put(0, 4), put(0, 4);
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width * 3; ++x) put(next(), 1);
    put(0, row - size.width * 3);
  }
  if (!(std::ofstream(path, std::ios::binary) << bytes)) {
    throw std::runtime_error("cannot write " + path);
  }
}

inline void write_grey_image(const std::string& path, Size size, int grey) {
  write_bmp(path, size, [grey] { return grey; });
}

/// Random colours, the same for the same seed, around a level that the seed says too: images of
/// different seeds differ in more than noise.
inline void write_noise_image(const std::string& path, Size size, uint32_t seed) {
  std::mt19937 generator(seed);
  const auto level = static_cast<int64_t>(generator() % 192);
  write_bmp(path, size,
            [&] { return static_cast<int>(level + static_cast<int64_t>(generator() % 64)); });
}

}  // namespace ptq::support
