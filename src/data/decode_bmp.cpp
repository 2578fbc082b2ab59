#include <algorithm>
#include <array>

#include "data/decoders.h"

namespace ptq::data {
namespace {

using Color = std::array<uint8_t, 3>;

enum Compression : uint32_t { kNone = 0, kRunLength8 = 1, kRunLength4 = 2, kBitFields = 3 };

struct Header {
  int64_t width = 0;
  int64_t height = 0;
  bool bottom_up = true;
  uint32_t bits = 0;
  uint32_t compression = kNone;
  uint32_t masks[3] = {};
  std::vector<Color> palette;
  size_t pixels_at = 0;
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

std::vector<Color> read_palette(const Bytes& bytes, size_t at, size_t count, size_t entry_size) {
  std::vector<Color> palette(256, Color{0, 0, 0});
  for (size_t i = 0; i < std::min<size_t>(count, 256); ++i, at += entry_size) {
    for (size_t c = 0; c < 3; ++c) palette[i][c] = static_cast<uint8_t>(bytes.u8(at + 2 - c));
  }
  return palette;
}

void set_masks(Header& header, const Bytes& bytes, size_t at) {
  const bool has_fields = header.compression == kBitFields;
  const std::array<uint32_t, 3> usual = header.bits == 16
                                            ? std::array<uint32_t, 3>{0x7C00, 0x03E0, 0x001F}
                                            : std::array<uint32_t, 3>{0xFF0000, 0x00FF00, 0x0000FF};
  for (size_t c = 0; c < 3; ++c) header.masks[c] = has_fields ? bytes.u32(at + 4 * c) : usual[c];
}

// The 12-byte header of OS/2 has shorter fields and palette entries than all later ones.
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
  if (header.bits > 8) {
    set_masks(header, bytes, kInfo + 40);
  } else {
    const size_t named = old ? 0 : bytes.u32(kInfo + 32);
    const size_t colors = named != 0 ? named : size_t{1} << header.bits;
    header.palette = read_palette(bytes, kInfo + info_size, colors, old ? 3 : 4);
  }
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

// A pair of bytes says 255 pixels at most. What a file leaves out is black, but not nearly all.
void check_runs(const Header& header, size_t file_size) {
  const bool runs = header.compression == kRunLength8 || header.compression == kRunLength4;
  const int64_t most = static_cast<int64_t>(file_size) * 128;
  if (!runs || header.width <= 0 || header.height <= most / header.width) return;
  throw DecodeFailure("damaged BMP: it promises more pixels than its " + std::to_string(file_size) +
                      " bytes can hold");
}

// A channel of any width, stretched to 8 bits.
uint8_t channel(uint32_t pixel, uint32_t mask) {
  if (mask == 0) return 0;
  const uint32_t lowest = mask & (~mask + 1);
  const uint64_t largest = mask / lowest;
  return static_cast<uint8_t>((pixel & mask) / lowest * uint64_t{255} / largest);
}

void read_true_color(const Header& header, const Bytes& bytes, Image& image) {
  const size_t step = header.bits / 8;
  const size_t stride = (static_cast<size_t>(header.width) * step + 3) / 4 * 4;
  for (int64_t y = 0; y < header.height; ++y) {
    uint8_t* out = image.row(y);
    size_t at = header.pixels_at + static_cast<size_t>(y) * stride;
    for (int64_t x = 0; x < header.width; ++x, at += step) {
      uint32_t pixel = bytes.u16(at);
      if (step > 2) pixel |= bytes.u8(at + 2) << 16;
      if (step > 3) pixel |= bytes.u8(at + 3) << 24;
      for (const uint32_t mask : header.masks) *out++ = channel(pixel, mask);
    }
  }
}

void put(const Header& header, Image& image, int64_t x, int64_t y, uint32_t index) {
  if (x >= header.width || y >= header.height) return;
  std::copy_n(header.palette[index].data(), 3, image.row(y) + x * 3);
}

void read_indices(const Header& header, const Bytes& bytes, Image& image) {
  const size_t per_byte = 8 / header.bits;
  const size_t stride = (static_cast<size_t>(header.width) * header.bits + 31) / 32 * 4;
  const uint32_t mask = (1U << header.bits) - 1;
  for (int64_t y = 0; y < header.height; ++y) {
    const size_t row = header.pixels_at + static_cast<size_t>(y) * stride;
    for (int64_t x = 0; x < header.width; ++x) {
      const auto place = static_cast<size_t>(x);
      const size_t shift = 8 - header.bits - place % per_byte * header.bits;
      put(header, image, x, y, bytes.u8(row + place / per_byte) >> shift & mask);
    }
  }
}

// Pairs of count and value; count 0 escapes: 0 ends a row, 1 the image, 2 moves, and from 3 on
// that many values follow literally, padded to 16 bits.
class RunLengthReader {
 public:
  RunLengthReader(const Header& header, const Bytes& bytes, Image& image)
      : header_(header), bytes_(bytes), image_(image), at_(header.pixels_at) {}

  void read() {
    for (int64_t x = 0, y = 0; y < header_.height;) {
      const uint32_t count = next();
      const uint32_t value = next();
      if (count > 0) {
        for (uint32_t i = 0; i < count; ++i) put(header_, image_, x++, y, index(value, i));
      } else if (value == 0) {
        x = 0, ++y;
      } else if (value == 1) {
        return;
      } else if (value == 2) {
        x += next(), y += next();
      } else {
        x = read_literals(value, x, y);
      }
    }
  }

 private:
  uint32_t next() { return bytes_.u8(at_++); }

  uint32_t index(uint32_t value, uint32_t i) const {
    if (header_.bits == 8) return value;
    return i % 2 == 0 ? value >> 4 : value & 15U;
  }

  int64_t read_literals(uint32_t count, int64_t x, int64_t y) {
    const uint32_t per_byte = 8 / header_.bits;
    const size_t begin = at_;
    for (uint32_t i = 0; i < count; ++i) {
      put(header_, image_, x++, y, index(bytes_.u8(begin + i / per_byte), i));
    }
    const size_t length = (count + per_byte - 1) / per_byte;
    at_ = begin + (length + 1) / 2 * 2;
    return x;
  }

  const Header& header_;
  const Bytes& bytes_;
  Image& image_;
  size_t at_;
};

void flip(Image& image) {
  const int64_t stride = image.width * 3;
  for (int64_t y = 0; y < image.height / 2; ++y) {
    std::swap_ranges(image.row(y), image.row(y) + stride, image.row(image.height - 1 - y));
  }
}

}  // namespace

Image decode_bmp(const FileBytes& file) {
  const Bytes bytes(file);
  const Header header = read_header(bytes);
  check_layout(header);
  check_runs(header, file.size());
  Image image = make_image(header.width, header.height);
  if (header.compression == kRunLength8 || header.compression == kRunLength4) {
    RunLengthReader(header, bytes, image).read();
  } else if (header.bits > 8) {
    read_true_color(header, bytes, image);
  } else {
    read_indices(header, bytes, image);
  }
  if (header.bottom_up) flip(image);
  return image;
}

}  // namespace ptq::data
