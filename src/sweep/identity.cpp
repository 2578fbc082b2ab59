#include "sweep/identity.h"

#include <filesystem>
#include <numeric>
#include <tuple>

#include "base/hash.h"
#include "base/threads.h"
#include "data/content_hash.h"
#include "options/option_levels.h"
#include "ptq/base/error.h"
#include "ptq/data/image_folder.h"

namespace ptq::sweep {
namespace {

namespace fs = std::filesystem;

std::string first_digits(const std::string& hash) { return hash.substr(0, 16); }

std::string hash_of_folder(const std::string& directory) {
  const data::ImageFolder folder = data::open_image_folder(directory, data::Labels::kOptional);
  std::vector<int64_t> items(folder.items.size());
  std::iota(items.begin(), items.end(), int64_t{0});
  std::vector<int64_t> labels;
  for (const data::ImageFolder::Item& item : folder.items) labels.push_back(item.label);
  return data::data_hash(data::content_hashes(folder, items, available_cores()), labels);
}

/// Options that name what is hashed by its content.
bool is_input(std::string_view option) {
  return option == "model" || option == "model-dir" || option == "calibration-dir" ||
         option == "validation-dir";
}

}  // namespace

bool Identity::operator<(const Identity& other) const {
  return std::tie(model, validation, calibration, configuration) <
         std::tie(other.model, other.validation, other.calibration, other.configuration);
}

Identity Identities::of(const options::Settings& settings) {
  return {of_file(model_path(settings)), of_images(settings, "validation-dir"),
          of_images(settings, "calibration-dir"), of_options(settings)};
}

// A file that cannot be read is the failure of its configurations, not of the sweep.
const std::string& Identities::of_file(const std::string& path) {
  const auto found = files_.find(path);
  if (found != files_.end()) return found->second;
  std::string hash;
  std::error_code ignored;
  if (fs::is_regular_file(path, ignored)) hash = first_digits(sha256_of_file(path));
  return files_.emplace(path, std::move(hash)).first->second;
}

std::string Identities::of_options(const options::Settings& settings) {
  std::string lines;
  for (const options::Option& option : options::option_table()) {
    const bool counts = options::level_of(option.name) != options::Level::kNothing &&
                        !is_input(option.name) && option.name != "threads" &&
                        option.name != "batch-size-validation";
    if (!counts) continue;
    std::string value = options::to_text(settings.value(option.name));
    if (option.name == "load-quantizers" && !settings.is_none(option.name)) value = of_file(value);
    lines += std::string(option.name) + "=" + value + "\n";
  }
  return first_digits(sha256(lines));
}

const std::string& Identities::of_images(const options::Settings& settings,
                                         const std::string& option) {
  if (settings.is_none(option)) throw ConfigError("the sweep names no --" + option);
  const std::string& directory = settings.text(option);
  const auto found = folders_.find(directory);
  if (found != folders_.end()) return found->second;
  return folders_.emplace(directory, first_digits(hash_of_folder(directory))).first->second;
}

std::string model_path(const options::Settings& settings) {
  if (!settings.is_none("model")) return settings.text("model");
  if (settings.is_none("model-dir")) return "";
  return (fs::path(settings.text("model-dir")) / (settings.text("model-name") + ".pt")).string();
}

std::string model_label(const options::Settings& settings) {
  if (settings.given("model-name") || settings.is_none("model")) {
    return settings.text("model-name");
  }
  return fs::path(settings.text("model")).stem().string();
}

}  // namespace ptq::sweep
