#include "cli/image_sets.h"

#include <algorithm>
#include <numeric>

#include "cli/session.h"
#include "ptq/base/error.h"
#include "workflow/shared_stages.h"

namespace ptq::cli {
namespace {

/// All of them, or as many of all classes as were asked for, in the order of the folder.
std::vector<int64_t> validation_items(const options::Config& config,
                                      const data::ImageFolder& folder) {
  std::vector<int64_t> items(folder.items.size());
  std::iota(items.begin(), items.end(), int64_t{0});
  if (!config.validation_samples && config.validation_skip == 0) return items;
  const auto available = static_cast<int64_t>(items.size());
  const int64_t skip = config.validation_skip;
  const int64_t count = config.validation_samples.value_or(available - skip);
  if (count < 1 || skip + count > available) {
    const std::string asked =
        config.validation_samples ? "--validation-samples " + std::to_string(count) : "";
    const std::string left_out = skip > 0 ? "--validation-skip " + std::to_string(skip) : "";
    throw DataError(asked + (asked.empty() || left_out.empty() ? "" : " with ") + left_out + ": " +
                    config.validation_dir + " has " + std::to_string(available) + " images");
  }
  items = data::draw_calibration_items(folder, skip + count, data::CalibrationSampling::kStratified,
                                       config.quantize.seed);
  items.erase(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(skip));
  std::sort(items.begin(), items.end());
  return items;
}

/// A number that nobody chose is a wish; one that was given is an order.
std::vector<int64_t> calibration_items(const options::Config& config,
                                       const data::ImageFolder& folder) {
  const auto available = static_cast<int64_t>(folder.items.size());
  const int64_t count = config.calibration_samples_given
                            ? config.calibration_samples
                            : std::min(config.calibration_samples, available);
  return data::draw_calibration_items(folder, count, config.calibration_sampling,
                                      config.quantize.seed);
}

using Items = std::vector<int64_t> (*)(const options::Config&, const data::ImageFolder&);

/// Where a loader keeps crops: for itself, or for others too.
struct Keeping {
  int64_t memory_bytes = 0;
  std::shared_ptr<data::CropStore> store = nullptr;
};

std::shared_ptr<ContentCache> open_cache(const options::Config& config,
                                         workflow::SharedStages& shared) {
  if (!config.cache) {
    shared.cache = nullptr;
  } else if (!shared.cache || shared.cache->directory() != *config.cache) {
    shared.cache = std::make_shared<ContentCache>(*config.cache, config.cache_bytes);
  }
  return shared.cache;
}

data::ImageSet open(const options::Config& config, data::ImageFolder folder, Items items,
                    Keeping keeping, workflow::SharedStages& shared) {
  data::LoaderOptions options;
  options.recipe = config.recipe;
  options.workers = config.workers;
  options.unreadable = config.unreadable;
  options.memory_budget_bytes = keeping.memory_bytes;
  options.store = std::move(keeping.store);
  options.cache = shared.cache;
  if (config.label_offset == 1 && folder.is_labelled()) data::add_background_class(folder);
  std::vector<int64_t> chosen = items(config, folder);
  return {std::move(folder), std::move(chosen), std::move(options)};
}

/// What decoded crops depend on: not the mean and deviation, which come later.
std::string crop_key(const options::Config& config, const std::string& directory) {
  const data::Recipe& recipe = config.recipe;
  return directory + "\n" + config.cache.value_or("") + "\n" + std::to_string(config.label_offset) +
         " " + std::to_string(recipe.resize) + " " + std::to_string(recipe.crop) + " " +
         std::to_string(static_cast<int>(recipe.interpolation)) + " " +
         std::to_string(static_cast<int>(config.unreadable)) + " " +
         std::to_string(config.workers) + " " + std::to_string(config.image_memory_bytes);
}

/// Images that a set hands out are normalized.
std::string colours_key(const data::Recipe& recipe) {
  std::string key;
  for (const auto& colours : {recipe.mean, recipe.std}) {
    for (const float value : colours) key += " " + options::to_text(static_cast<double>(value));
  }
  return key;
}

std::string calibration_key(const options::Config& config) {
  return crop_key(config, config.calibration_dir) + colours_key(config.recipe) + " " +
         std::to_string(config.calibration_samples) +
         (config.calibration_samples_given ? " given " : " wished ") +
         std::to_string(static_cast<int>(config.calibration_sampling)) + " " +
         std::to_string(config.quantize.seed);
}

/// Images that are read once need not be kept.
Keeping for_validation(const options::Config& config, workflow::Session::Runs runs) {
  const bool once = config.skip_float && config.exports.checked_images == 0;
  return {once && runs == workflow::Session::Runs::kOne ? 0 : config.image_memory_bytes};
}

template <class T, class Make>
T kept_or(workflow::Kept<T>& shelf, const std::string& key, const Make& make) {
  if (const auto* kept = shelf.find(key)) return kept->value;
  shelf.clear_unless(key);
  auto made = make();
  shelf.put(key, {made, {}});
  return made;
}

// One run reads its calibration images once or twice, which is not worth the memory; attribution
// calibrates several networks, and bits are chosen by running many. Many runs may draw different
// ones of the same images.
Keeping for_calibration(const options::Config& config, workflow::SharedStages& shared) {
  if (shared.runs == workflow::Session::Runs::kOne) {
    return {config.attribute || config.bits.any() ? config.image_memory_bytes : 0};
  }
  return {0, kept_or(shared.calibration_crops, crop_key(config, config.calibration_dir),
                     [&] { return std::make_shared<data::CropStore>(config.image_memory_bytes); })};
}

void append(std::vector<UnreadableImage>& all, const char* set, const data::Loader& loader) {
  for (const data::Unreadable& image : loader.unreadable()) {
    all.push_back({set, image.path, image.reason});
  }
}

data::ImageSet calibration_set(const options::Config& config, workflow::SharedStages& shared) {
  return kept_or(shared.calibration_images, calibration_key(config), [&] {
    return open(config, data::open_image_folder(config.calibration_dir, data::Labels::kOptional),
                calibration_items, for_calibration(config, shared), shared);
  });
}

data::ImageSet validation_set(const options::Config& config, workflow::SharedStages& shared) {
  return kept_or(shared.validation_images, validation_key(config), [&] {
    return open(config, data::open_image_folder(config.validation_dir), validation_items,
                for_validation(config, shared.runs), shared);
  });
}

}  // namespace

std::string validation_key(const options::Config& config) {
  const std::string key = crop_key(config, config.validation_dir) + colours_key(config.recipe);
  if (!config.validation_samples && config.validation_skip == 0) return key;
  return key + " " + std::to_string(config.validation_samples.value_or(-1)) + " after " +
         std::to_string(config.validation_skip) + " " + std::to_string(config.quantize.seed);
}

// Speed and memory change no bit, but threads and the plan may.
workflow::Source source_of(const options::Config& config) {
  const runtime::Execution& execution = config.execution;
  return {
      config.model_file + "\n" + std::to_string(config.recipe.crop) + " " + execution.device.str() +
          " " + std::to_string(static_cast<int>(execution.dtype)) +
          (execution.compile ? " plan " : " interpreter ") + std::to_string(execution.threads),
      calibration_key(config) + " in batches of " + std::to_string(config.batch_size_calibration)};
}

void Session::announce(const std::vector<options::Settings>& settings) {
  std::vector<workflow::Announced> announced;
  for (const options::Settings& each : settings) {
    try {
      const options::Config config = options::make_config(each);
      announced.push_back({source_of(config), config.quantize});
    } catch (const Error&) {
      continue;
    }
  }
  session_.announce(std::move(announced));
}

ImageSets::ImageSets(const options::Config& config, workflow::Session& session)
    : cache_(open_cache(config, session.stages())),
      calibration_(
          calibration_set(config, session.stages()).in_batches_of(config.batch_size_calibration)),
      validation_(
          validation_set(config, session.stages()).in_batches_of(config.batch_size_validation)) {}

std::vector<UnreadableImage> ImageSets::unreadable() const {
  std::vector<UnreadableImage> all;
  append(all, "calibration", calibration_.loader());
  append(all, "validation", validation_.loader());
  return all;
}

}  // namespace ptq::cli
