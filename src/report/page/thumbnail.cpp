#include "report/page/thumbnail.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "data/image.h"

namespace ptq::report {
namespace {

constexpr int64_t kSide = 96;
constexpr size_t kHeaderBytes = 54;

std::string base64(const std::string& bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j) {
      group = group << 8U | (i + j < bytes.size() ? static_cast<uint8_t>(bytes[i + j]) : 0U);
    }
    for (size_t j = 0; j < 4; ++j) {
      text += i + j > bytes.size() ? '=' : kDigits[group >> (18 - 6 * j) & 63U];
    }
  }
  return text;
}

void append(std::string& bytes, uint32_t value, int count) {
  for (int i = 0; i < count; ++i) bytes += static_cast<char>(value >> (8 * i) & 255U);
}

/// 24 bits a pixel, rows from the bottom, blue first; a row of kSide pixels is whole words.
std::string bmp(const uint8_t* pixels) {
  constexpr uint32_t size = kSide * kSide * 3;
  std::string bytes = "BM";
  append(bytes, size + kHeaderBytes, 4), append(bytes, 0, 4), append(bytes, kHeaderBytes, 4);
  append(bytes, 40, 4), append(bytes, kSide, 4), append(bytes, kSide, 4);
  append(bytes, 1, 2), append(bytes, 24, 2), append(bytes, 0, 4), append(bytes, size, 4);
  append(bytes, 0, 4), append(bytes, 0, 4), append(bytes, 0, 4), append(bytes, 0, 4);
  for (int64_t y = kSide - 1; y >= 0; --y) {
    for (int64_t x = 0; x < kSide; ++x) {
      const uint8_t* pixel = pixels + (y * kSide + x) * 3;
      bytes +=
          {static_cast<char>(pixel[2]), static_cast<char>(pixel[1]), static_cast<char>(pixel[0])};
    }
  }
  return bytes;
}

}  // namespace

std::string thumbnail(const std::string& path, const data::Recipe& recipe) {
  data::Recipe small = recipe;
  small.crop = kSide;
  small.resize = std::max(kSide, kSide * recipe.resize / recipe.crop);
  return "data:image/bmp;base64," +
         base64(bmp(data::resize_and_crop(data::decode_image(path).pixels, small).data));
}

}  // namespace ptq::report
