#include "ptq/data/image_folder.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <string_view>
#include <tuple>

#include "data/label_files.h"
#include "ptq/base/error.h"

namespace ptq::data {
namespace {

namespace fs = std::filesystem;

bool is_image(const fs::path& path) {
  static constexpr std::array<std::string_view, 7> kSuffixes = {".jpg",  ".jpeg", ".png", ".bmp",
                                                                ".webp", ".tif",  ".tiff"};
  std::string suffix = path.extension().string();
  std::transform(suffix.begin(), suffix.end(), suffix.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::find(kSuffixes.begin(), kSuffixes.end(), suffix) != kSuffixes.end();
}

// What notebooks, archives and file servers leave behind: .ipynb_checkpoints, ._im0.png.
bool is_leftover(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.front() == '.' || name == "__MACOSX" || name == "@eaDir";
}

bool is_dangling(const fs::directory_entry& entry) { return entry.is_symlink() && !entry.exists(); }

std::vector<std::string> folders_in(const fs::path& directory) {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    if (is_leftover(entry.path())) continue;
    if (is_dangling(entry) && !entry.path().has_extension()) {
      throw DataError(entry.path().string() + " is a link to a folder that does not exist");
    }
    if (entry.is_directory()) names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// In the order of their folder, then of their name. A link to nothing is an image that cannot be
// read, which the loader names.
std::vector<fs::path> images_below(const fs::path& folder) {
  std::vector<fs::path> paths;
  const auto options = fs::directory_options::follow_directory_symlink;
  fs::recursive_directory_iterator entry(folder, options);
  for (; entry != fs::recursive_directory_iterator(); ++entry) {
    if (is_leftover(entry->path())) {
      entry.disable_recursion_pending();
      continue;
    }
    const bool is_file = entry->is_regular_file() || is_dangling(*entry);
    if (is_file && is_image(entry->path())) paths.push_back(entry->path());
  }
  std::sort(paths.begin(), paths.end(), [](const fs::path& a, const fs::path& b) {
    return std::make_tuple(a.parent_path().string(), a.filename().string()) <
           std::make_tuple(b.parent_path().string(), b.filename().string());
  });
  return paths;
}

int64_t label_of(const std::string& folder, const ClassNames& names, const fs::path& directory) {
  const auto found = std::find(names.names.begin(), names.names.end(), folder);
  if (found == names.names.end()) {
    throw DataError((directory / folder).string() + ": " + names.file.string() +
                    " has no class of this name");
  }
  return found - names.names.begin();
}

ImageFolder read_class_folders(const fs::path& directory, ClassNames names) {
  const std::vector<std::string> folders = folders_in(directory);
  if (folders.empty()) {
    throw DataError(directory.string() + ": no folder of a class and no labels.txt in it");
  }
  if (names.names.empty()) names.names = folders;
  ImageFolder result;
  for (const std::string& folder : folders) {
    const int64_t label = label_of(folder, names, directory);
    const std::vector<fs::path> paths = images_below(directory / folder);
    if (paths.empty()) throw DataError((directory / folder).string() + ": no image in it");
    for (const fs::path& path : paths) result.items.push_back({path.string(), label});
  }
  result.classes = std::move(names.names);
  return result;
}

ImageFolder read_listed_images(const fs::path& directory, ClassNames names) {
  ImageFolder result;
  const fs::path file = directory / kLabelsFile;
  result.items = read_labels(file, names);
  int64_t most = -1;
  for (ImageFolder::Item& item : result.items) {
    most = std::max(most, item.label);
    item.path = (directory / item.path).string();
  }
  std::sort(result.items.begin(), result.items.end(),
            [](const auto& a, const auto& b) { return a.path < b.path; });
  result.classes = std::move(names.names);
  if (result.classes.empty()) {
    for (int64_t i = 0; i <= most; ++i) result.classes.push_back(std::to_string(i));
  }
  return result;
}

}  // namespace

ImageFolder open_image_folder(const std::string& directory) {
  const fs::path path(directory);
  try {
    if (!fs::exists(path)) throw DataError(directory + ": no such folder");
    if (!fs::is_directory(path)) throw DataError(directory + ": not a folder");
    ClassNames names = read_class_names(path);
    if (fs::exists(path / kLabelsFile)) return read_listed_images(path, std::move(names));
    return read_class_folders(path, std::move(names));
  } catch (const fs::filesystem_error& error) {
    throw DataError(error.path1().string() + ": " + error.code().message());
  }
}

}  // namespace ptq::data
