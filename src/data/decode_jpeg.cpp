#include <algorithm>
#include <csetjmp>
#include <cstdio>

// jpeglib.h needs size_t and FILE from above.
#include <jerror.h>
#include <jpeglib.h>

#include "data/decoders.h"
#include "data/jpeg_outline.h"

namespace ptq::data {
namespace {

// libjpeg's handle with what its callbacks write. libjpeg leaves an error by longjmp, so the
// functions that call it own nothing with a destructor.
struct Reader {
  jpeg_decompress_struct codec;
  jpeg_error_mgr errors;
  jpeg_progress_mgr progress;
  std::jmp_buf on_error;
  char message[JMSG_LENGTH_MAX];
  bool truncated;
  bool laborious;
};

void leave(j_common_ptr codec) {
  auto* reader = static_cast<Reader*>(codec->client_data);
  codec->err->format_message(codec, reader->message);
  std::longjmp(reader->on_error, 1);
}

// Damage that libjpeg repairs is repaired, as in Pillow; only a missing end is noted.
void note_warning(j_common_ptr codec, int level) {
  if (level < 0 && codec->err->msg_code == JWRN_JPEG_EOF) {
    static_cast<Reader*>(codec->client_data)->truncated = true;
  }
}

// Called again and again while libjpeg works.
void limit_scans(j_common_ptr common) {
  auto* codec = reinterpret_cast<j_decompress_ptr>(common);
  const int64_t pixels = int64_t{codec->image_width} * codec->image_height;
  if (!is_too_much_work(pixels, codec->input_scan_number)) return;
  auto* reader = static_cast<Reader*>(codec->client_data);
  reader->laborious = true;
  std::longjmp(reader->on_error, 1);
}

bool read_header(Reader& reader, const FileBytes& file) {
  if (setjmp(reader.on_error) != 0) return false;
  jpeg_create_decompress(&reader.codec);
  reader.progress.progress_monitor = limit_scans;
  reader.codec.progress = &reader.progress;
  jpeg_mem_src(&reader.codec, file.data(), static_cast<unsigned long>(file.size()));
  jpeg_read_header(&reader.codec, TRUE);
  reader.codec.out_color_space = reader.codec.num_components == 4 ? JCS_CMYK : JCS_EXT_BGR;
  return true;
}

// As in Pillow, the end marker need not follow if all pixels came first.
bool read_rows(Reader& reader, cv::Mat& rows) {
  if (setjmp(reader.on_error) != 0) return false;
  jpeg_start_decompress(&reader.codec);
  while (reader.codec.output_scanline < reader.codec.output_height && !reader.truncated) {
    JSAMPROW row = rows.ptr(static_cast<int>(reader.codec.output_scanline));
    jpeg_read_scanlines(&reader.codec, &row, 1);
  }
  return true;
}

class JpegReader {
 public:
  JpegReader() {
    reader_.codec.err = jpeg_std_error(&reader_.errors);
    reader_.codec.client_data = &reader_;
    reader_.errors.error_exit = leave;
    reader_.errors.emit_message = note_warning;
  }
  ~JpegReader() { jpeg_destroy_decompress(&reader_.codec); }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  void open(const FileBytes& file) { check(read_header(reader_, file)); }
  int64_t width() const { return reader_.codec.image_width; }
  int64_t height() const { return reader_.codec.image_height; }
  bool is_cmyk() const { return reader_.codec.out_color_space == JCS_CMYK; }
  /// What it takes beside the samples.
  int64_t bytes_of_parts() {
    const bool in_parts = jpeg_has_multiple_scans(&reader_.codec) != 0;
    return in_parts ? bytes_in_parts(width() * height(), reader_.codec.num_components) : 0;
  }
  void read(cv::Mat& rows) { check(read_rows(reader_, rows)); }

 private:
  void check(bool success) const {
    if (reader_.laborious) throw DecodeFailure("a progressive JPEG of too many scans");
    if (reader_.truncated) throw DecodeFailure("truncated JPEG");
    if (!success) throw DecodeFailure(std::string("damaged JPEG: ") + reader_.message);
  }

  Reader reader_ = {};
};

// Four-channel JPEGs hold inverted CMYK by Adobe's convention: 255 is no ink.
void inverted_cmyk_to_bgr(const cv::Mat& cmyk, cv::Mat& bgr) {
  uint8_t* out = bgr.data;
  const uint8_t* const end = cmyk.data + cmyk.total() * 4;
  for (const uint8_t* in = cmyk.data; in < end; in += 4, out += 3) {
    cmyk_to_bgr(255 - in[0], 255 - in[1], 255 - in[2], 255 - in[3], out);
  }
}

// Ink, and whatever may be wrong with a file: this reader knows what, and what can be repaired.
Image decode_with_libjpeg(const FileBytes& file) {
  JpegReader jpeg;
  jpeg.open(file);
  const int64_t pixels = jpeg.width() * jpeg.height();
  Image image = make_image(jpeg.width(), jpeg.height(),
                           (jpeg.is_cmyk() ? pixels * 4 : 0) + jpeg.bytes_of_parts());
  if (jpeg.is_cmyk()) {
    cv::Mat cmyk(image.pixels.size(), CV_8UC4);
    jpeg.read(cmyk);
    inverted_cmyk_to_bgr(cmyk, image.pixels);
  } else {
    jpeg.read(image.pixels);
  }
  return image;
}

void set_height(FileBytes& file, const JpegOutline& outline, int64_t height) {
  file[outline.height_at] = static_cast<uint8_t>(height >> 8);
  file[outline.height_at + 1] = static_cast<uint8_t>(height);
}

/// Where codes end too early, OpenCV repeats the last row that it had.
bool ends_in_two_equal_rows(const cv::Mat& pixels) {
  const uint8_t* last = pixels.ptr(pixels.rows - 1);
  return std::equal(last, last + pixels.cols * 3, pixels.ptr(pixels.rows - 2));
}

/// Decodes the first rows only; no pixels where that saves nothing, or codes are missing.
Image decode_top(FileBytes& file, const JpegOutline& outline, int64_t rows_seen) {
  // libjpeg decodes blocks of eight samples, and looks at the next one to interpolate colours.
  const int64_t rows = rows_seen + outline.rows_of_sample;
  const int64_t block = 8 * outline.rows_of_sample;
  const bool saves_blocks = (rows + block - 1) / block < (outline.height + block - 1) / block;
  if (!outline.is_one_pass || !saves_blocks) return {};
  Image image = make_image(outline.width, outline.height);
  cv::Mat top = image.pixels.rowRange(0, static_cast<int>(rows));
  // libjpeg would have something to say about codes left over before an end marker: it gets none.
  const cv::Mat codes(1, static_cast<int>(outline.codes_end), CV_8UC1, file.data());
  set_height(file, outline, rows);
  const bool is_good = decode_into(codes, top) && !ends_in_two_equal_rows(top);
  set_height(file, outline, outline.height);
  if (!is_good) return {};
  image.pixels.rowRange(static_cast<int>(rows_seen), image.pixels.rows).setTo(0);
  return image;
}

Image decode_plain(FileBytes& file, const JpegOutline& outline, const RowsSeen& rows_seen) {
  Image image;
  if (rows_seen) image = decode_top(file, outline, rows_seen(outline.width, outline.height));
  if (!image.pixels.empty()) return image;
  const int64_t pixels = outline.width * outline.height;
  return decode_with_opencv(file, outline.width, outline.height,
                            outline.is_one_pass ? 0 : bytes_in_parts(pixels, outline.components));
}

}  // namespace

Image decode_jpeg(FileBytes file, const RowsSeen& rows_seen) {
  const JpegOutline outline = jpeg_outline(file);
  Image image;
  if (outline.is_whole && (outline.components == 1 || outline.components == 3) &&
      !is_too_much_work(outline.width * outline.height, outline.scans)) {
    image = decode_plain(file, outline, rows_seen);
  }
  if (!image.pixels.empty()) return image;
  image.share.reset();
  return decode_with_libjpeg(file);
}

}  // namespace ptq::data
