#include "cli/outputs.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "base/atomic_file.h"
#include "ptq/base/error.h"

namespace ptq::cli {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> outputs_of(const options::Config& config) {
  std::vector<std::string> paths = config.outputs.files();
  for (const auto& file : {config.exports.onnx, config.exports.torchscript}) {
    if (file) paths.push_back(*file);
  }
  return paths;
}

bool is_same_file(const std::string& a, const std::string& b) {
  std::error_code failure;
  return fs::equivalent(a, b, failure) && !failure;
}

void refuse(const std::string& output, const std::string& input) {
  throw ConfigError(output + " cannot be written: it is " + input + ", which this run reads");
}

/// Links followed; empty where there is no such file.
fs::path real_path(const std::string& path) {
  std::error_code failure;
  const fs::path real = fs::canonical(path, failure);
  return failure ? fs::path() : real;
}

bool lies_in(const fs::path& file, const fs::path& folder) {
  return std::mismatch(folder.begin(), folder.end(), file.begin(), file.end()).first ==
         folder.end();
}

}  // namespace

void check_outputs(const options::Settings& settings, const options::Config& config) {
  const auto configuration = settings.text_or_none("config");
  for (const std::string& output : outputs_of(config)) {
    require_writable(output);
    if (is_same_file(output, config.model_file)) refuse(output, "the model");
    if (is_same_file(output, config.quantize.quantizers_file)) {
      refuse(output, "the file of --load-quantizers");
    }
    if (configuration && is_same_file(output, *configuration)) refuse(output, "the configuration");
  }
}

void check_outputs_are_no_images(const options::Config& config, const std::string& directory,
                                 const data::ImageFolder& folder) {
  const fs::path root = real_path(directory);
  for (const std::string& output : outputs_of(config)) {
    const fs::path file = real_path(output);
    if (file.empty() || root.empty() || !lies_in(file, root)) continue;
    for (const char* list : {"labels.txt", "classes.txt"}) {
      if (file == root / list) refuse(output, "a list of labels");
    }
    for (const data::ImageFolder::Item& item : folder.items) {
      if (is_same_file(output, item.path)) refuse(output, "an image");
    }
  }
}

}  // namespace ptq::cli
