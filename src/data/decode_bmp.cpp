#include <array>
#include <opencv2/core.hpp>

#include "data/decoders.h"

namespace ptq::data {
namespace {

enum Compression : uint32_t { kNone = 0, kRunLength8 = 1, kRunLength4 = 2, kBitFields = 3 };

struct Header {
  int64_t width = 0;
  int64_t height = 0;
  bool bottom_up = true;
  uint32_t bits = 0;
  uint32_t compression = kNone;
  uint32_t masks[3] = {};  // blue, green, red
  size_t pixels_at = 0;

  bool has_runs() const { return compression == kRunLength8 || compression == kRunLength4; }
  size_t stride() const { return (static_cast<size_t>(width) * bits + 31) / 32 * 4; }
};

// Little-endian integers of a file that may end too early.
class Bytes {
 public:
  explicit Bytes(const FileBytes& file) : file_(file) {}
  uint32_t u8(size_t at) const {
    if (at >= file_.size()) throw DecodeFailure("truncated BMP");
    return file_[at];
  }
  uint32_t u16(size_t at) const { return u8(at) | u8(at + 1) << 8; }
  uint32_t u32(size_t at) const { return u16(at) | u16(at + 2) << 16; }

 private:
  const FileBytes& file_;
};

void set_masks(Header& header, const Bytes& bytes, size_t at) {
  const bool has_fields = header.compression == kBitFields;
  const std::array<uint32_t, 3> usual = header.bits == 16
                                            ? std::array<uint32_t, 3>{0x001F, 0x03E0, 0x7C00}
                                            : std::array<uint32_t, 3>{0x0000FF, 0x00FF00, 0xFF0000};
  for (size_t c = 0; c < 3; ++c) {
    header.masks[c] = has_fields ? bytes.u32(at + 4 * (2 - c)) : usual[c];
  }
}

// The 12-byte header of OS/2 has shorter fields than all later ones.
Header read_header(const Bytes& bytes) {
  constexpr size_t kInfo = 14;
  const size_t info_size = bytes.u32(kInfo);
  const bool old = info_size == 12;
  if (!old && (info_size < 40 || info_size > 124)) throw DecodeFailure("unknown kind of BMP");

  Header header;
  const auto height = static_cast<int32_t>(old ? bytes.u16(kInfo + 6) : bytes.u32(kInfo + 8));
  header.width = old ? bytes.u16(kInfo + 4) : static_cast<int32_t>(bytes.u32(kInfo + 4));
  header.height = height < 0 ? -int64_t{height} : height;
  header.bottom_up = height >= 0;
  header.bits = bytes.u16(kInfo + (old ? 10 : 14));
  header.compression = old ? kNone : bytes.u32(kInfo + 16);
  header.pixels_at = bytes.u32(10);
  if (header.bits > 8) set_masks(header, bytes, kInfo + 40);
  return header;
}

void check_layout(const Header& header) {
  const uint32_t bits = header.bits;
  const bool known = (header.compression == kNone && (bits == 1 || bits == 4 || bits == 8 ||
                                                      bits == 16 || bits == 24 || bits == 32)) ||
                     (header.compression == kRunLength8 && bits == 8) ||
                     (header.compression == kRunLength4 && bits == 4) ||
                     (header.compression == kBitFields && (bits == 16 || bits == 32));
  if (!known) {
    throw DecodeFailure("BMP of " + std::to_string(bits) + " bits with compression " +
                        std::to_string(header.compression) + " is not supported");
  }
}

// What a file leaves out of its runs is the first colour, but that is not nearly all: a pair of
// bytes says 255 pixels at most.
void check_size(const Header& header, size_t file_size) {
  check_pixels(header.width, header.height);
  if (header.pixels_at > file_size) throw DecodeFailure("truncated BMP");
  if (header.has_runs()) {
    const int64_t most = static_cast<int64_t>(file_size) * 128;
    if (header.height <= most / header.width) return;
    throw DecodeFailure("damaged BMP: it promises more pixels than its " +
                        std::to_string(file_size) + " bytes can hold");
  }
  const size_t last_row = (static_cast<size_t>(header.width) * header.bits + 7) / 8;
  const size_t before = header.stride() * static_cast<size_t>(header.height - 1);
  if (header.pixels_at + before + last_row > file_size) throw DecodeFailure("truncated BMP");
}

// A channel of any width, stretched to 8 bits.
uint8_t channel(uint32_t pixel, uint32_t mask) {
  if (mask == 0) return 0;
  const uint32_t lowest = mask & (~mask + 1);
  const uint64_t largest = mask / lowest;
  return static_cast<uint8_t>((pixel & mask) / lowest * uint64_t{255} / largest);
}

// OpenCV reads these bits too, but shifts where Pillow stretches, and passes masks over.
Image read_masked(const Header& header, const Bytes& bytes) {
  Image image = make_image(header.width, header.height);
  const size_t step = header.bits / 8;
  for (int64_t y = 0; y < header.height; ++y) {
    auto* out = image.pixels.ptr(static_cast<int>(y));
    size_t at = header.pixels_at + static_cast<size_t>(y) * header.stride();
    for (int64_t x = 0; x < header.width; ++x, at += step) {
      const uint32_t pixel = step == 2 ? bytes.u16(at) : bytes.u32(at);
      for (const uint32_t mask : header.masks) *out++ = channel(pixel, mask);
    }
  }
  if (header.bottom_up) cv::flip(image.pixels, image.pixels, 0);
  return image;
}

FileBytes resized(FileBytes bytes, size_t size) {
  bytes.resize(size);
  return bytes;
}

}  // namespace

Image decode_bmp(const FileBytes& file) {
  const Bytes bytes(file);
  const Header header = read_header(bytes);
  check_layout(header);
  check_size(header, file.size());
  if (header.bits == 16 || header.compression == kBitFields) return read_masked(header, bytes);
  const size_t whole = header.pixels_at + header.stride() * static_cast<size_t>(header.height);
  const bool pads_last_row = header.has_runs() || file.size() >= whole;
  Image image =
      decode_with_opencv(pads_last_row ? file : resized(file, whole), header.width, header.height);
  if (image.pixels.empty()) throw DecodeFailure("damaged or truncated BMP");
  return image;
}

}  // namespace ptq::data
