#include <algorithm>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <system_error>

#include "data/decoders.h"
#include "ptq/base/error.h"

namespace ptq::data {
namespace {

constexpr int64_t kMostPixels = 178'956'970;

FileBytes read_file(const std::string& path) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error) throw DecodeFailure("cannot be opened: " + error.message());
  FileBytes bytes(static_cast<size_t>(size));
  std::ifstream stream(path, std::ios::binary);
  if (!stream.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size))) {
    throw DecodeFailure("cannot be read");
  }
  return bytes;
}

bool has_at(const FileBytes& file, size_t offset, std::initializer_list<uint8_t> magic) {
  return file.size() >= offset + magic.size() &&
         std::equal(magic.begin(), magic.end(), file.begin() + static_cast<int64_t>(offset));
}

}  // namespace

Image make_image(int64_t width, int64_t height) {
  if (width < 1 || height < 1) throw DecodeFailure("the image has no pixels");
  if (width > kMostPixels / height) {
    throw DecodeFailure("the image has " + std::to_string(width) + " x " + std::to_string(height) +
                        " pixels, more than the limit");
  }
  Image image{width, height, {}};
  image.pixels.resize(static_cast<size_t>(width * height * 3));
  return image;
}

Image decode_file(const std::string& path) {
  const FileBytes file = read_file(path);
  if (file.empty()) throw DecodeFailure("the file is empty");
  if (has_at(file, 0, {0xFF, 0xD8, 0xFF})) return decode_jpeg(file);
  if (has_at(file, 0, {0x89, 'P', 'N', 'G'})) return decode_png(file);
  if (has_at(file, 0, {'B', 'M'})) return decode_bmp(file);
  if (has_at(file, 0, {'R', 'I', 'F', 'F'}) && has_at(file, 8, {'W', 'E', 'B', 'P'})) {
    return decode_webp(file);
  }
  if (has_at(file, 0, {'I', 'I', 42, 0}) || has_at(file, 0, {'M', 'M', 0, 42})) {
    return decode_tiff(path);
  }
  throw DecodeFailure("not a JPEG, PNG, BMP, WebP or TIFF image");
}

Image decode_image(const std::string& path) {
  try {
    return decode_file(path);
  } catch (const DecodeFailure& failure) {
    throw DataError(path + ": " + failure.what());
  }
}

}  // namespace ptq::data
