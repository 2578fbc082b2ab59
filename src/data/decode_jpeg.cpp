#include <csetjmp>
#include <cstdio>

// jpeglib.h needs size_t and FILE from above.
#include <jerror.h>
#include <jpeglib.h>

#include "data/decoders.h"

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

// A progressive JPEG is decoded anew for each of its scans, of which cameras and tools write up to
// twenty. Called again and again while libjpeg works.
void limit_scans(j_common_ptr common) {
  constexpr int kMostScans = 100;
  constexpr int64_t kMostWork = 4'000'000'000;  // pixels times scans
  auto* codec = reinterpret_cast<j_decompress_ptr>(common);
  const int scans = codec->input_scan_number;
  const int64_t pixels = int64_t{codec->image_width} * codec->image_height;
  if (scans <= kMostScans && pixels * scans <= kMostWork) return;
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
  reader.codec.out_color_space = reader.codec.num_components == 4 ? JCS_CMYK : JCS_RGB;
  return true;
}

// Rows of `stride` bytes. As in Pillow, the end marker need not follow if all pixels came first.
bool read_rows(Reader& reader, uint8_t* rows, size_t stride) {
  if (setjmp(reader.on_error) != 0) return false;
  jpeg_start_decompress(&reader.codec);
  while (reader.codec.output_scanline < reader.codec.output_height && !reader.truncated) {
    JSAMPROW row = rows + stride * reader.codec.output_scanline;
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
  void read(uint8_t* rows, int64_t stride) {
    check(read_rows(reader_, rows, static_cast<size_t>(stride)));
  }

 private:
  void check(bool success) const {
    if (reader_.laborious) throw DecodeFailure("a progressive JPEG of too many scans");
    if (reader_.truncated) throw DecodeFailure("truncated JPEG");
    if (!success) throw DecodeFailure(std::string("damaged JPEG: ") + reader_.message);
  }

  Reader reader_ = {};
};

// Four-channel JPEGs hold inverted CMYK by Adobe's convention: 255 is no ink.
void inverted_cmyk_to_rgb(const std::vector<uint8_t>& cmyk, Image& image) {
  uint8_t* out = image.pixels.data();
  for (size_t i = 0; i + 3 < cmyk.size(); i += 4, out += 3) {
    cmyk_to_rgb(255 - cmyk[i], 255 - cmyk[i + 1], 255 - cmyk[i + 2], 255 - cmyk[i + 3], out);
  }
}

}  // namespace

Image decode_jpeg(const FileBytes& file) {
  JpegReader jpeg;
  jpeg.open(file);
  const int64_t samples = jpeg.is_cmyk() ? 4 : 0;
  Image image = make_image(jpeg.width(), jpeg.height(), jpeg.width() * jpeg.height() * samples);
  if (jpeg.is_cmyk()) {
    std::vector<uint8_t> cmyk(static_cast<size_t>(image.width * image.height * 4));
    jpeg.read(cmyk.data(), image.width * 4);
    inverted_cmyk_to_rgb(cmyk, image);
  } else {
    jpeg.read(image.pixels.data(), image.width * 3);
  }
  return image;
}

}  // namespace ptq::data
