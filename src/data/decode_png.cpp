#include <png.h>

#include <algorithm>
#include <csetjmp>
#include <cstring>

#include "data/decoders.h"

namespace ptq::data {
namespace {

// What libpng's callbacks read and write. libpng leaves an error by longjmp, so the functions that
// call it own nothing with a destructor.
struct Source {
  const uint8_t* next;
  size_t left;
  char message[128];
};

void keep_message(png_structp png, png_const_charp message) {
  auto* source = static_cast<Source*>(png_get_error_ptr(png));
  std::strncpy(source->message, message, sizeof(source->message) - 1);
  png_longjmp(png, 1);
}

void ignore_warning(png_structp, png_const_charp) {}

void read_bytes(png_structp png, png_bytep out, size_t count) {
  auto* source = static_cast<Source*>(png_get_io_ptr(png));
  if (count > source->left) png_error(png, "the file is truncated");
  std::memcpy(out, source->next, count);
  source->next += count;
  source->left -= count;
}

// Everything becomes 8-bit RGB with or without a fourth channel, but 16-bit grey: that stays, for
// Pillow clips it where it takes the high byte of 16-bit colours.
void ask_for_rgb(png_structp png, png_infop info) {
  const int color = png_get_color_type(png, info);
  const int depth = png_get_bit_depth(png, info);
  if (color == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
  if (color == PNG_COLOR_TYPE_GRAY && depth < 8) png_set_expand_gray_1_2_4_to_8(png);
  if (color == PNG_COLOR_TYPE_GRAY && depth == 16) return;
  if (depth == 16) png_set_strip_16(png);
  if ((color & PNG_COLOR_MASK_COLOR) == 0) png_set_gray_to_rgb(png);
  png_set_strip_alpha(png);
}

bool read_header(png_structp png, png_infop info) {
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  png_read_info(png, info);
  ask_for_rgb(png, info);
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  return true;
}

bool read_rows(png_structp png, png_bytep* rows) {
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  png_read_image(png, rows);
  return true;
}

class PngReader {
 public:
  explicit PngReader(const FileBytes& file) : source_{file.data(), file.size(), {}} {}
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  void open() {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, &source_, keep_message, ignore_warning);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
    if (info_ == nullptr) throw DecodeFailure("libpng does not start");
    png_set_read_fn(png_, &source_, read_bytes);
    check(read_header(png_, info_));
  }
  int64_t width() const { return png_get_image_width(png_, info_); }
  int64_t height() const { return png_get_image_height(png_, info_); }
  bool is_deep_grey() const { return png_get_bit_depth(png_, info_) == 16; }
  void read(uint8_t* pixels, int64_t stride) {
    std::vector<png_bytep> rows(static_cast<size_t>(height()));
    for (size_t y = 0; y < rows.size(); ++y) rows[y] = pixels + static_cast<int64_t>(y) * stride;
    check(read_rows(png_, rows.data()));
  }

 private:
  void check(bool success) const {
    if (!success) throw DecodeFailure(std::string("damaged PNG: ") + source_.message);
  }

  Source source_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

}  // namespace

Image decode_png(const FileBytes& file) {
  PngReader png(file);
  png.open();
  Image image = make_image(png.width(), png.height());
  if (!png.is_deep_grey()) {
    png.read(image.pixels.data(), image.width * 3);
    return image;
  }
  std::vector<uint8_t> deep(static_cast<size_t>(image.width * image.height * 2));
  png.read(deep.data(), image.width * 2);
  for (size_t i = 0; i < deep.size(); i += 2) {
    const uint8_t value = deep[i] != 0 ? 255 : deep[i + 1];
    std::fill_n(image.pixels.data() + i / 2 * 3, 3, value);
  }
  return image;
}

}  // namespace ptq::data
