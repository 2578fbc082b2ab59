#include <webp/demux.h>

#include <algorithm>
#include <memory>

#include "data/decoders.h"

namespace ptq::data {
namespace {

// Behind "RIFF", the size of what follows, "WEBP" and the name and size of the first chunk.
constexpr size_t kFlagsAt = 20;
constexpr uint8_t kAnimated = 2;

bool is_animated(const FileBytes& file) {
  constexpr uint8_t kExtended[] = {'V', 'P', '8', 'X'};
  return std::equal(std::begin(kExtended), std::end(kExtended), file.begin() + 12) &&
         (file[kFlagsAt] & kAnimated) != 0;
}

// OpenCV refuses moving pictures. Pillow shows the first frame on its canvas.
Image first_frame(const FileBytes& file, int width, int height) {
  // The canvas twice, and the frame as it is decoded.
  Image image = make_image(width, height, int64_t{width} * height * 12);
  WebPAnimDecoderOptions options;
  WebPAnimDecoderOptionsInit(&options);
  options.color_mode = MODE_BGRA;
  const WebPData data = {file.data(), file.size()};
  const std::unique_ptr<WebPAnimDecoder, void (*)(WebPAnimDecoder*)> decoder(
      WebPAnimDecoderNew(&data, &options), WebPAnimDecoderDelete);
  uint8_t* bgra = nullptr;  // the decoder's
  int timestamp = 0;
  if (!decoder || !WebPAnimDecoderGetNext(decoder.get(), &bgra, &timestamp)) return {};
  uint8_t* out = image.pixels.data;
  const uint8_t* const end = out + image.pixels.total() * 3;
  for (; out < end; out += 3, bgra += 4) std::copy_n(bgra, 3, out);
  return image;
}

// Either way of packing pixels, and alpha, take a second and a third image.
Image still(const FileBytes& file, int width, int height) {
  return decode_with_opencv(file, width, height, int64_t{width} * height * 8);
}

}  // namespace

Image decode_webp(const FileBytes& file) {
  int width = 0, height = 0;  // of the canvas
  const bool has_header =
      file.size() > kFlagsAt && WebPGetInfo(file.data(), file.size(), &width, &height) != 0;
  Image image = !has_header         ? Image()
                : is_animated(file) ? first_frame(file, width, height)
                                    : still(file, width, height);
  if (image.pixels.empty()) throw DecodeFailure("damaged or truncated WebP");
  return image;
}

}  // namespace ptq::data
