#include <webp/demux.h>

#include <memory>

#include "data/decoders.h"

namespace ptq::data {

// The animation decoder reads still images too, and shows the first frame of a moving one.
Image decode_webp(const FileBytes& file) {
  WebPAnimDecoderOptions options;
  WebPAnimDecoderOptionsInit(&options);
  options.color_mode = MODE_RGBA;
  const WebPData data = {file.data(), file.size()};
  const std::unique_ptr<WebPAnimDecoder, void (*)(WebPAnimDecoder*)> decoder(
      WebPAnimDecoderNew(&data, &options), WebPAnimDecoderDelete);
  WebPAnimInfo info;
  if (!decoder || !WebPAnimDecoderGetInfo(decoder.get(), &info)) {
    throw DecodeFailure("damaged or truncated WebP");
  }
  Image image = make_image(info.canvas_width, info.canvas_height);
  uint8_t* rgba = nullptr;  // the decoder's
  int timestamp = 0;
  if (!WebPAnimDecoderGetNext(decoder.get(), &rgba, &timestamp)) {
    throw DecodeFailure("damaged or truncated WebP");
  }
  for (size_t in = 0, out = 0; out < image.pixels.size(); in += 4) {
    for (size_t c = 0; c < 3; ++c) image.pixels[out++] = rgba[in + c];
  }
  return image;
}

}  // namespace ptq::data
