#include "ptq/data/image_folder.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "data/folder_files.h"
#include "data/imagenet_labels.h"
#include "data/label_files.h"
#include "ptq/base/error.h"

namespace ptq::data {
namespace {

namespace fs = std::filesystem;

int64_t label_of(const std::string& folder, const ClassNames& names, const fs::path& directory) {
  const auto found = std::find(names.names.begin(), names.names.end(), folder);
  if (found == names.names.end()) {
    throw DataError((directory / folder).string() + ": " + names.file.string() +
                    " has no class of this name");
  }
  return found - names.names.begin();
}

ImageFolder read_class_folders(const fs::path& directory, const std::vector<ClassFolder>& folders,
                               ClassNames names, int64_t passed_over) {
  const bool by_folder = names.names.empty();
  ImageFolder result;
  result.passed_over = passed_over;
  for (const ClassFolder& folder : folders) {
    if (by_folder) names.names.push_back(folder.name);
    const int64_t label = by_folder ? static_cast<int64_t>(names.names.size()) - 1
                                    : label_of(folder.name, names, directory);
    std::vector<ImageFolder::Item> images = images_below(folder.path, result.passed_over);
    if (images.empty()) throw DataError(folder.path.string() + ": no image in it");
    for (ImageFolder::Item& image : images) {
      image.label = label;
      result.items.push_back(std::move(image));
    }
  }
  result.classes = std::move(names.names);
  return result;
}

// A single archive in a folder may be all images, which then have a file of labels.
ImageFolder read_folder(const fs::path& directory, ClassNames names) {
  int64_t passed_over = 0;
  std::vector<ClassFolder> folders = class_folders_in(directory, passed_over);
  const auto is_devkit = [](const ClassFolder& folder) { return folder.name == kDevkitFolder; };
  folders.erase(std::remove_if(folders.begin(), folders.end(), is_devkit), folders.end());
  const bool is_one_archive = folders.size() == 1 && folders.front().is_archive();
  if (!folders.empty() && !is_one_archive) {
    return read_class_folders(directory, folders, std::move(names), passed_over);
  }
  const auto labels = find_imagenet_labels(directory);
  if (labels) {
    ImageFolder result =
        label_by_imagenet(images_in(is_one_archive ? folders.front().path : directory, passed_over),
                          *labels, std::move(names));
    result.passed_over = passed_over;
    return result;
  }
  if (is_one_archive) {
    return read_class_folders(directory, folders, std::move(names), passed_over);
  }
  throw DataError(directory.string() +
                  ": no folder of a class, no labels.txt and no other file of labels "
                  "(ILSVRC2012_validation_ground_truth.txt, LOC_val_solution.csv, labels.csv)");
}

ImageFolder read_archive(const fs::path& archive) {
  const fs::path directory = fs::absolute(archive).parent_path();
  const auto labels = find_imagenet_labels(directory);
  if (!labels) throw DataError(archive.string() + ": no file of labels beside it");
  int64_t passed_over = 0;
  std::vector<ImageFolder::Item> images = images_in(archive, passed_over);
  if (images.empty()) throw DataError(archive.string() + ": no image in it");
  ImageFolder result = label_by_imagenet(std::move(images), *labels, read_class_names(directory));
  result.passed_over = passed_over;
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

/// The first link on the way to `path`, below `directory`.
fs::path first_link(const fs::path& directory, const fs::path& path) {
  std::error_code ignored;
  fs::path link = directory;
  for (const fs::path& name : path.lexically_relative(directory)) {
    link /= name;
    if (fs::is_symlink(link, ignored)) return link;
  }
  return path;
}

[[noreturn]] void refuse(const fs::path& directory, const fs::filesystem_error& error) {
  const fs::path& path = error.path1();
  if (error.code() == std::errc::too_many_symbolic_link_levels) {
    throw DataError(first_link(directory, path).string() + " is a link that leads back to itself");
  }
  throw DataError(path.string() + ": " + error.code().message());
}

}  // namespace

void add_background_class(ImageFolder& folder) {
  folder.classes.insert(folder.classes.begin(), "background");
  for (ImageFolder::Item& item : folder.items) ++item.label;
}

ImageFolder open_image_folder(const std::string& directory) {
  const fs::path path(directory);
  try {
    if (!fs::exists(path)) throw DataError(directory + ": no such folder");
    if (fs::is_regular_file(path) && path.extension() == ".tar") return read_archive(path);
    if (!fs::is_directory(path)) throw DataError(directory + ": not a folder");
    ClassNames names = read_class_names(path);
    if (fs::exists(path / kLabelsFile)) return read_listed_images(path, std::move(names));
    return read_folder(path, std::move(names));
  } catch (const fs::filesystem_error& error) {
    refuse(path, error);
  }
}

}  // namespace ptq::data
