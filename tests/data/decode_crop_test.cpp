#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <opencv2/core.hpp>
#include <vector>

// jpeglib.h needs size_t and FILE from above.
#include <jpeglib.h>

#include "data/decoders.h"
#include "data/image.h"
#include "data/pixel_bytes.h"

namespace ptq::data {
namespace {

// A crop of this recipe shows a tall image's middle.
Recipe small_recipe() {
  Recipe recipe;
  recipe.resize = 24;
  recipe.crop = 20;
  return recipe;
}

struct Layout {
  int channels = 3;
  /// Of brightness, for one sample of colour.
  int columns = 2, rows = 2;
  unsigned restart_interval = 0;
  bool is_progressive = false;
};

FileBytes noise_as_jpeg(const Layout& layout, int width, int height) {
  cv::Mat image(height, width, CV_8UC(layout.channels));
  cv::RNG(5).fill(image, cv::RNG::UNIFORM, 0, 256);
  jpeg_compress_struct codec;
  jpeg_error_mgr errors;
  codec.err = jpeg_std_error(&errors);
  jpeg_create_compress(&codec);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&codec, &bytes, &size);
  codec.image_width = static_cast<JDIMENSION>(width);
  codec.image_height = static_cast<JDIMENSION>(height);
  codec.input_components = layout.channels;
  codec.in_color_space = layout.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&codec);
  codec.comp_info[0].h_samp_factor = layout.columns;
  codec.comp_info[0].v_samp_factor = layout.rows;
  codec.restart_interval = layout.restart_interval;
  if (layout.is_progressive) jpeg_simple_progression(&codec);
  jpeg_start_compress(&codec, TRUE);
  for (int y = 0; y < height; ++y) {
    JSAMPROW row = image.ptr(y);
    jpeg_write_scanlines(&codec, &row, 1);
  }
  jpeg_finish_compress(&codec);
  jpeg_destroy_compress(&codec);
  FileBytes file(bytes, bytes + size);
  std::free(bytes);
  return file;
}

void expect_crop_of_whole_image(const FileBytes& file) {
  const cv::Mat whole = resize_and_crop(decode_bytes(file).pixels, small_recipe());
  EXPECT_EQ(bytes_of(decode_crop(file, small_recipe())), bytes_of(whole));
}

TEST(DecodeCrop, IsThatOfTheWholeImage) {
  for (const int height : {16, 33, 48, 64, 95, 150}) {
    for (const Layout& layout : std::vector<Layout>{{3, 1, 1},
                                                    {3, 2, 1},
                                                    {3, 1, 2},
                                                    {3, 2, 2},
                                                    {3, 1, 4},
                                                    {3, 4, 1},
                                                    {1, 1, 1},
                                                    {3, 2, 2, 2},
                                                    {3, 2, 2, 0, true}}) {
      SCOPED_TRACE(testing::Message() << height << " rows, " << layout.channels << " channels, "
                                      << layout.columns << " x " << layout.rows);
      expect_crop_of_whole_image(noise_as_jpeg(layout, 40, height));
    }
  }
}

TEST(DecodeCrop, LeavesOutRowsThatAreNotSeen) {
  const FileBytes file = noise_as_jpeg({}, 40, 150);
  const Image image = decode_bytes(file, [](int64_t, int64_t) { return 90; });
  ASSERT_EQ(image.pixels.size(), cv::Size(40, 150));
  const cv::Mat whole = decode_bytes(file).pixels;
  EXPECT_EQ(bytes_of(image.pixels.rowRange(0, 90)), bytes_of(whole.rowRange(0, 90)));
  EXPECT_EQ(cv::norm(image.pixels.rowRange(90, 150), cv::NORM_INF), 0);
}

// Between the end of the codes and their marker: libjpeg fills up with grey what is missing.
TEST(DecodeCrop, IsThatOfTheWholeImageWhereCodesAreMissing) {
  const FileBytes whole = noise_as_jpeg({}, 40, 150);
  for (size_t missing = 10; missing < whole.size() - 700; missing += 13) {
    SCOPED_TRACE(testing::Message() << missing << " of " << whole.size() << " bytes");
    FileBytes file = whole;
    file.erase(file.end() - 2 - static_cast<int64_t>(missing), file.end() - 2);
    if (file[file.size() - 3] == 0xFF) continue;
    expect_crop_of_whole_image(file);
  }
}

}  // namespace
}  // namespace ptq::data
