#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "ptq/data/image_folder.h"
#include "ptq/data/loader.h"
#include "support/temporary_folder.h"
#include "support/test_images.h"

/// Names and contents of files as ImageNet's are.
namespace ptq::data {

inline constexpr const char* kGroundTruth = "ILSVRC2012_validation_ground_truth.txt";
// In the devkit's order, which is not that of the names.
inline constexpr const char* kSynsets = "n03\nn01\nn02\n";

inline std::string val(int number) {
  char name[40];
  std::snprintf(name, sizeof name, "ILSVRC2012_val_%08d.JPEG", number);
  return name;
}

inline std::string bytes_of_grey(int grey) {
  const support::TemporaryFolder folder;
  support::write_grey_image(folder.file("a.bmp"), {8, 8}, grey);
  return support::content_of(folder.file("a.bmp"));
}

/// The first grey value of each image, in the order of the folder.
inline std::vector<int> greys(const ImageFolder& folder) {
  LoaderOptions options;
  options.recipe = {8, 8, {0, 0, 0}, {1, 1, 1}, Interpolation::kBilinear};
  std::vector<int64_t> items(folder.items.size());
  for (size_t i = 0; i < items.size(); ++i) items[i] = static_cast<int64_t>(i);
  Loader loader(folder, items, options);
  loader.start(1);
  std::vector<int> found;
  while (const auto batch = loader.next()) found.push_back(batch->pixels.data_ptr<uint8_t>()[0]);
  return found;
}

}  // namespace ptq::data
