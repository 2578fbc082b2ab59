#include <zlib.h>

#include <algorithm>
#include <opencv2/core.hpp>
#include <string_view>

#include "data/decoders.h"

namespace ptq::data {
namespace {

constexpr size_t kSignature = 8;
/// Length and name before a chunk's data, and the checksum behind it.
constexpr size_t kNameAt = 4, kDataAt = 8, kAround = 12;
constexpr uint8_t kEndChunk[kAround] = {0, 0, 0, 0, 'I', 'E', 'N', 'D', 0xAE, 0x42, 0x60, 0x82};

[[noreturn]] void refuse(const std::string& reason) {
  throw DecodeFailure("damaged PNG: " + reason);
}

uint32_t big_endian(const uint8_t* bytes) {
  return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | bytes[3];
}

/// One chunk of a file, checked to lie within it.
struct Chunk {
  const uint8_t* bytes;
  size_t size;  // of its data

  Chunk(const FileBytes& file, size_t at) : bytes(file.data() + at), size(0) {
    const size_t left = file.size() - at;
    if (left >= kAround) size = big_endian(bytes);
    if (left < kAround || size > left - kAround) refuse("the file is truncated");
  }
  std::string_view name() const { return {reinterpret_cast<const char*>(bytes + kNameAt), 4}; }
  const uint8_t* data() const { return bytes + kDataAt; }
  size_t whole_size() const { return size + kAround; }
  void check() const {
    const uLong sum = crc32_z(0, bytes + kNameAt, size + 4);
    if (sum != big_endian(data() + size)) refuse(std::string(name()) + ": CRC error");
  }
};

/// What its pixels need and nothing else: no alpha, which is dropped anyway, and no notes and
/// profiles, for which libpng has warnings. Like libpng, it stops behind the data.
FileBytes without_notes(const FileBytes& file) {
  FileBytes kept;
  kept.reserve(file.size() + kAround);
  kept.assign(file.begin(), file.begin() + kSignature);
  bool in_data = false;
  for (size_t at = kSignature;;) {
    if (in_data && file.size() - at < kAround) break;
    const Chunk chunk(file, at);
    const bool is_data = chunk.name() == "IDAT";
    if (in_data && !is_data) break;
    in_data = is_data;
    at += chunk.whole_size();
    if (!is_data && chunk.name() != "IHDR" && chunk.name() != "PLTE") continue;
    chunk.check();
    kept.insert(kept.end(), chunk.bytes, chunk.bytes + chunk.whole_size());
  }
  kept.insert(kept.end(), std::begin(kEndChunk), std::end(kEndChunk));
  return kept;
}

}  // namespace

// Pillow takes the high byte of 16-bit colours, as OpenCV does, but clips 16-bit grey.
Image decode_png(const FileBytes& file) {
  if (file.size() < kSignature) refuse("the file is truncated");
  const Chunk header(file, kSignature);
  if (header.name() != "IHDR" || header.size != 13) refuse("it does not begin with a header");
  const int64_t width = big_endian(header.data());
  const int64_t height = big_endian(header.data() + 4);
  const bool is_deep_grey = header.data()[8] == 16 && header.data()[9] == 0;
  check_pixels(width, height);
  // 16 bits and a fourth channel at the most.
  Image image = is_deep_grey ? decode_with_opencv(without_notes(file), width, height,
                                                  width * height * 5, Depth::kUnchanged)
                             : decode_with_opencv(without_notes(file), width, height);
  if (image.pixels.empty()) refuse("its pixels cannot be decoded");
  if (is_deep_grey) {
    cv::Mat clipped;
    image.pixels.convertTo(clipped, CV_8U);
    cv::merge(std::vector<cv::Mat>(3, clipped), image.pixels);
  }
  return image;
}

}  // namespace ptq::data
