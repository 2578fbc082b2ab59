#include <tiffio.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "data/decoders.h"
#include "data/tiff_memory.h"

namespace ptq::data {
namespace {

enum class Alpha { kNone, kStraight, kPremultiplied };

struct Layout {
  uint32_t width = 0;
  uint32_t height = 0;
  uint16_t bits = 1;
  uint16_t samples = 1;
  uint16_t photometric = PHOTOMETRIC_MINISBLACK;
  bool planar = false;
  Alpha alpha = Alpha::kNone;
};

uint16_t field(TIFF* tiff, uint32_t tag) {
  uint16_t value = 0;
  TIFFGetFieldDefaulted(tiff, tag, &value);
  return value;
}

Alpha alpha_of(TIFF* tiff) {
  uint16_t count = 0;
  uint16_t* kinds = nullptr;
  TIFFGetFieldDefaulted(tiff, TIFFTAG_EXTRASAMPLES, &count, &kinds);
  if (count == 0) return Alpha::kNone;
  return kinds[0] == EXTRASAMPLE_ASSOCALPHA ? Alpha::kPremultiplied : Alpha::kStraight;
}

Layout layout_of(TIFF* tiff) {
  Layout layout;
  TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &layout.width);
  TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &layout.height);
  TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &layout.photometric);
  layout.bits = field(tiff, TIFFTAG_BITSPERSAMPLE);
  layout.samples = field(tiff, TIFFTAG_SAMPLESPERPIXEL);
  layout.planar = field(tiff, TIFFTAG_PLANARCONFIG) == PLANARCONFIG_SEPARATE;
  layout.alpha = alpha_of(tiff);
  return layout;
}

// Colours and what else may stand beside them; more is a broken header.
constexpr uint16_t kMostSamples = 8;

int colors_of(const Layout& layout) {
  switch (layout.photometric) {
    case PHOTOMETRIC_MINISWHITE:
    case PHOTOMETRIC_MINISBLACK:
    case PHOTOMETRIC_PALETTE:
      return 1;
    case PHOTOMETRIC_RGB:
      return 3;
    case PHOTOMETRIC_SEPARATED:
      return 4;
    default:
      return 0;
  }
}

void check_supported(TIFF* tiff, const Layout& layout) {
  const int colors = colors_of(layout);
  const uint16_t bits = layout.bits;
  const bool small = bits == 1 || bits == 2 || bits == 4;
  const bool depth_known = bits == 8 || (bits == 16 && layout.photometric != PHOTOMETRIC_PALETTE) ||
                           (small && colors == 1 && layout.samples == 1);
  if (colors == 0 || layout.samples < colors || layout.samples > kMostSamples || !depth_known ||
      field(tiff, TIFFTAG_SAMPLEFORMAT) != SAMPLEFORMAT_UINT) {
    throw DecodeFailure("TIFF of " + std::to_string(layout.samples) + " samples of " +
                        std::to_string(bits) + " bits with photometric interpretation " +
                        std::to_string(layout.photometric) + " is not supported");
  }
}

/// No compression makes more of a byte: deflate 1032, LZW 1700 at its best, runs 64. Looked at
/// before memory is taken.
void check_size(const FileBytes& file, int64_t sample_bytes) {
  constexpr int64_t kMostPerByte = 2048;
  const auto size = static_cast<int64_t>(file.size());
  if (sample_bytes / kMostPerByte <= size) return;
  throw DecodeFailure("damaged or truncated TIFF: it promises more pixels than its " +
                      std::to_string(size) + " bytes can hold");
}

// Samples as they stand in the file, one plane after the other: rows of `stride` bytes.
struct Samples {
  size_t stride = 0;
  std::vector<uint8_t> bytes;
};

bool read_strips(TIFF* tiff, uint32_t height, uint16_t plane, size_t stride, uint8_t* out) {
  uint32_t rows_per_strip = height;
  TIFFGetFieldDefaulted(tiff, TIFFTAG_ROWSPERSTRIP, &rows_per_strip);
  rows_per_strip = std::clamp(rows_per_strip, uint32_t{1}, height);
  for (uint32_t y = 0; y < height; y += rows_per_strip) {
    const auto wanted = static_cast<tmsize_t>(std::min(rows_per_strip, height - y) * stride);
    const tmsize_t got =
        TIFFReadEncodedStrip(tiff, TIFFComputeStrip(tiff, y, plane), out + y * stride, wanted);
    if (got < wanted) return false;
  }
  return true;
}

bool read_tiles(TIFF* tiff, const Layout& layout, uint16_t plane, size_t stride, uint8_t* out) {
  uint32_t tile_width = 0, tile_height = 0;
  TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &tile_width);
  TIFFGetField(tiff, TIFFTAG_TILELENGTH, &tile_height);
  if (tile_width == 0 || tile_height == 0 || tile_width % 8 != 0) return false;
  const auto tile_stride = static_cast<size_t>(TIFFTileRowSize(tiff));
  constexpr tmsize_t kLargestTile = 256 << 20;
  const tmsize_t tile_size = TIFFTileSize(tiff);
  if (tile_size <= 0 || tile_size > kLargestTile) return false;
  // Tiles reach beyond the image on two sides, by less than its size where it is the larger.
  const double tiles = std::ceil(static_cast<double>(layout.width) / tile_width) *
                       std::ceil(static_cast<double>(layout.height) / tile_height);
  const double most = kLargestTile + 4.0 * static_cast<double>(stride) * layout.height;
  if (tiles * static_cast<double>(tile_size) > most) {
    throw DecodeFailure("damaged TIFF: its tiles hold far more than the image");
  }
  std::vector<uint8_t> tile(static_cast<size_t>(tile_size));
  for (uint32_t y = 0; y < layout.height; y += tile_height) {
    for (uint32_t x = 0; x < layout.width; x += tile_width) {
      if (TIFFReadTile(tiff, tile.data(), x, y, 0, plane) < 0) return false;
      const size_t left = tile_stride * (x / tile_width);
      const uint32_t rows = std::min(tile_height, layout.height - y);
      for (uint32_t row = 0; row < rows; ++row) {
        std::memcpy(out + (y + row) * stride + left, tile.data() + row * tile_stride,
                    std::min(tile_stride, stride - left));
      }
    }
  }
  return true;
}

Samples read_samples(TIFF* tiff, const Layout& layout, const std::string& message) {
  Samples samples;
  samples.stride = static_cast<size_t>(TIFFScanlineSize(tiff));
  const uint16_t planes = layout.planar ? layout.samples : 1;
  const uint64_t row_bits = uint64_t{layout.width} * layout.bits * layout.samples / planes;
  if (samples.stride * 8 < row_bits) throw DecodeFailure("damaged TIFF: rows are too short");
  const size_t plane_size = samples.stride * layout.height;
  samples.bytes.resize(plane_size * planes);
  for (uint16_t plane = 0; plane < planes; ++plane) {
    uint8_t* out = samples.bytes.data() + plane * plane_size;
    const bool success = TIFFIsTiled(tiff) != 0
                             ? read_tiles(tiff, layout, plane, samples.stride, out)
                             : read_strips(tiff, layout.height, plane, samples.stride, out);
    if (!success) throw DecodeFailure("damaged or truncated TIFF: " + message);
  }
  return samples;
}

int sample_at(const Samples& samples, const Layout& layout, uint32_t x, uint32_t y, uint16_t c) {
  const size_t row = layout.planar ? size_t{c} * layout.height + y : y;
  const size_t index = layout.planar ? x : size_t{x} * layout.samples + c;
  const uint8_t* bytes = samples.bytes.data() + row * samples.stride;
  if (layout.bits == 8) return bytes[index];
  if (layout.bits == 16) {
    uint16_t value = 0;
    std::memcpy(&value, bytes + index * 2, sizeof(value));
    return value;
  }
  const size_t bit = index * layout.bits;
  return bytes[bit / 8] >> (8 - layout.bits - bit % 8) & ((1 << layout.bits) - 1);
}

// Grey: few bits are stretched, 16 bits clipped, as Pillow does.
uint8_t grey_level(const Layout& layout, int value) {
  if (layout.bits == 16) return static_cast<uint8_t>(std::min(value, 255));
  const int largest = (1 << layout.bits) - 1;
  const int level = value * 255 / largest;
  const bool inverted = layout.photometric == PHOTOMETRIC_MINISWHITE;
  return static_cast<uint8_t>(inverted ? 255 - level : level);
}

int straight(int premultiplied, int alpha) {
  if (alpha == 0) return 0;
  return std::min(premultiplied * 255 / alpha, 255);
}

using PixelWriter = void (*)(const Layout&, const int* samples, uint16_t* const* palette,
                             uint8_t* bgr);

void write_grey(const Layout& layout, const int* samples, uint16_t* const*, uint8_t* bgr) {
  std::fill_n(bgr, 3, grey_level(layout, samples[0]));
}

void write_palette(const Layout&, const int* samples, uint16_t* const* palette, uint8_t* bgr) {
  for (int c = 0; c < 3; ++c) bgr[2 - c] = static_cast<uint8_t>(palette[c][samples[0]] >> 8);
}

void write_rgb(const Layout& layout, const int* samples, uint16_t* const*, uint8_t* bgr) {
  const int shift = layout.bits - 8;
  for (int c = 0; c < 3; ++c) {
    const int level = samples[c] >> shift;
    bgr[2 - c] = static_cast<uint8_t>(
        layout.alpha == Alpha::kPremultiplied ? straight(level, samples[3] >> shift) : level);
  }
}

void write_cmyk(const Layout& layout, const int* samples, uint16_t* const*, uint8_t* bgr) {
  const int shift = layout.bits - 8;
  cmyk_to_bgr(samples[0] >> shift, samples[1] >> shift, samples[2] >> shift, samples[3] >> shift,
              bgr);
}

PixelWriter writer_of(const Layout& layout) {
  switch (layout.photometric) {
    case PHOTOMETRIC_PALETTE:
      return write_palette;
    case PHOTOMETRIC_RGB:
      return write_rgb;
    case PHOTOMETRIC_SEPARATED:
      return write_cmyk;
    default:
      return write_grey;
  }
}

void convert(TIFF* tiff, const Layout& layout, const Samples& samples, Image& image) {
  uint16_t* palette[3] = {};
  const bool has_palette =
      TIFFGetField(tiff, TIFFTAG_COLORMAP, &palette[0], &palette[1], &palette[2]) != 0;
  if (layout.photometric == PHOTOMETRIC_PALETTE && !has_palette) {
    throw DecodeFailure("TIFF without its palette");
  }
  const PixelWriter write = writer_of(layout);
  const uint16_t used = std::min<uint16_t>(layout.samples, 4);
  for (uint32_t y = 0; y < layout.height; ++y) {
    uint8_t* out = image.pixels.ptr(static_cast<int>(y));
    for (uint32_t x = 0; x < layout.width; ++x, out += 3) {
      int pixel[4] = {};
      for (uint16_t c = 0; c < used; ++c) pixel[c] = sample_at(samples, layout, x, y, c);
      write(layout, pixel, palette, out);
    }
  }
}

}  // namespace

Image decode_tiff(const FileBytes& file) {
  std::string message = "no reason given";
  TiffMemory memory{file};
  const TiffHandle tiff = open_tiff(memory, message);
  if (!tiff) throw DecodeFailure("damaged TIFF: " + message);
  Layout layout = layout_of(tiff.get());
  if (layout.photometric == PHOTOMETRIC_YCBCR &&
      field(tiff.get(), TIFFTAG_COMPRESSION) == COMPRESSION_JPEG) {
    TIFFSetField(tiff.get(), TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    layout.photometric = PHOTOMETRIC_RGB;
  }
  check_pixels(layout.width, layout.height);
  check_supported(tiff.get(), layout);
  const int64_t row_bytes = int64_t{layout.width} * layout.samples * layout.bits / 8;
  check_size(file, row_bytes * layout.height);
  Image image = make_image(layout.width, layout.height, row_bytes * layout.height);
  convert(tiff.get(), layout, read_samples(tiff.get(), layout, message), image);
  return image;
}

}  // namespace ptq::data
