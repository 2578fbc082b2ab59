#include "image_sets.h"

#include <algorithm>
#include <numeric>

namespace ptq::cli {
namespace {

std::vector<int64_t> all_items(const data::ImageFolder& folder) {
  std::vector<int64_t> items(folder.items.size());
  std::iota(items.begin(), items.end(), int64_t{0});
  return items;
}

/// A number that nobody chose is a wish; one that was given is an order.
std::vector<int64_t> calibration_items(const Config& config, const data::ImageFolder& folder) {
  const auto available = static_cast<int64_t>(folder.items.size());
  const int64_t count = config.calibration_samples_given
                            ? config.calibration_samples
                            : std::min(config.calibration_samples, available);
  return data::draw_calibration_items(folder, count, config.calibration_sampling, config.seed);
}

data::LoaderOptions loader_options(const Config& config, int64_t memory_bytes) {
  data::LoaderOptions options;
  options.recipe = config.recipe;
  options.workers = config.workers;
  options.unreadable = config.unreadable;
  options.memory_budget_bytes = memory_bytes;
  return options;
}

void append(std::vector<UnreadableImage>& all, const char* set, const data::Loader& loader) {
  for (const data::Unreadable& image : loader.unreadable()) {
    all.push_back({set, image.path, image.reason});
  }
}

}  // namespace

ImageSets::ImageSets(const Config& config)
    : ImageSets(config, data::open_image_folder(config.calibration_dir)) {}

// Calibration reads its images once, so that keeping them would be of no use; validation reads
// them once a network.
ImageSets::ImageSets(const Config& config, const data::ImageFolder& calibration_folder)
    : calibration_available_(static_cast<int64_t>(calibration_folder.items.size())),
      validation_folder_(data::open_image_folder(config.validation_dir)),
      calibration_(calibration_folder, calibration_items(config, calibration_folder),
                   loader_options(config, 0)),
      validation_(validation_folder_, all_items(validation_folder_),
                  loader_options(config, config.skip_float ? 0 : config.image_memory_bytes)) {}

std::vector<UnreadableImage> ImageSets::unreadable() const {
  std::vector<UnreadableImage> all;
  append(all, "calibration", calibration_);
  append(all, "validation", validation_);
  return all;
}

}  // namespace ptq::cli
