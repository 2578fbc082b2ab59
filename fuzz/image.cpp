#include "data/image.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>

#include "data/decoders.h"
#include "input.h"

namespace {

using namespace ptq;

// Shows the middle of an image: rows of a JPEG are left out.
data::Recipe middle() {
  data::Recipe recipe;
  recipe.resize = 16;
  recipe.crop = 4;
  return recipe;
}

cv::Mat crop_of_whole(const std::string& path) {
  cv::Mat crop;
  fuzz::expect_only<DataError>(
      [&] { crop = data::resize_and_crop(data::decode_image(path).pixels, middle()); });
  return crop;
}

cv::Mat crop_of_rows_seen(data::FileBytes file) {
  cv::Mat crop;
  fuzz::expect_only<data::DecodeFailure>(
      [&] { crop = data::decode_crop(std::move(file), middle()); });
  return crop;
}

}  // namespace

// An image that is decoded as far as it is seen gives the same crop, or fails, as a whole one.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const fuzz::InputFile file(data, size);
  const cv::Mat whole = crop_of_whole(file.path());
  const cv::Mat part = crop_of_rows_seen({data, data + size});
  const bool is_same =
      whole.size() == part.size() && std::equal(whole.datastart, whole.dataend, part.datastart);
  if (!is_same) std::abort();
  return 0;
}
