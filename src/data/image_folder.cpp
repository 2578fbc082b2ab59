#include "ptq/data/image_folder.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
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

struct FoundClass {
  std::string name;
  std::vector<ImageFolder::Item> images;
};

ImageFolder label_by_class(const fs::path& directory, std::vector<FoundClass> classes,
                           ClassNames names) {
  const bool by_order = names.names.empty();
  ImageFolder result;
  for (FoundClass& found : classes) {
    if (by_order) names.names.push_back(found.name);
    const int64_t label = by_order ? static_cast<int64_t>(names.names.size()) - 1
                                   : label_of(found.name, names, directory);
    for (ImageFolder::Item& image : found.images) {
      image.label = label;
      result.items.push_back(std::move(image));
    }
  }
  result.classes = std::move(names.names);
  return result;
}

ImageFolder read_class_folders(const fs::path& directory, const std::vector<ClassFolder>& folders,
                               ClassNames names, int64_t& passed_over) {
  std::vector<FoundClass> classes;
  for (const ClassFolder& folder : folders) {
    classes.push_back({folder.name, images_below(folder.path, passed_over)});
    if (classes.back().images.empty()) throw DataError(folder.path.string() + ": no image in it");
  }
  return label_by_class(directory, std::move(classes), std::move(names));
}

/// Where an image lies in its archive, below the folders that all images lie in.
std::vector<std::vector<std::string>> places_in(const fs::path& archive,
                                                const std::vector<ImageFolder::Item>& images) {
  std::vector<std::vector<std::string>> places;
  for (const ImageFolder::Item& image : images) {
    const fs::path place =
        fs::path(image.path.substr(archive.string().size() + 1)).lexically_normal();
    places.emplace_back(place.begin(), place.end());
  }
  const auto is_common = [&](const auto& place) {
    return place.size() > 1 && place.front() == places.front().front();
  };
  while (!places.empty() && std::all_of(places.begin(), places.end(), is_common)) {
    for (auto& place : places) place.erase(place.begin());
  }
  return places;
}

/// The folders and archives that an archive consists of; none for one whose images are its own.
std::vector<FoundClass> classes_in(const fs::path& archive,
                                   const std::vector<ImageFolder::Item>& images) {
  std::map<std::string, FoundClass> classes;
  const auto places = places_in(archive, images);
  for (size_t i = 0; i < images.size(); ++i) {
    if (places[i].size() < 2) return {};
    const fs::path folder = places[i].front();
    const std::string name = (folder.extension() == ".tar" ? folder.stem() : folder).string();
    classes[name].images.push_back(images[i]);
  }
  std::vector<FoundClass> sorted;
  for (auto& [name, found] : classes) sorted.push_back({name, std::move(found.images)});
  return sorted;
}

/// The images of a flat folder, or of an archive without folders; nothing where no list says which
/// class they have.
std::optional<ImageFolder> label_by_list(const fs::path& directory,
                                         const std::vector<ImageFolder::Item>& images,
                                         const ClassNames& names, Labels labels) {
  const auto file = find_imagenet_labels(directory);
  if (!file) return std::nullopt;
  try {
    return label_by_imagenet(images, *file, names);
  } catch (const MissingLabel&) {
    if (labels == Labels::kNeeded) throw;
    return std::nullopt;
  }
}

std::optional<ImageFolder> label_archive(const fs::path& archive,
                                         const std::vector<ImageFolder::Item>& images,
                                         const ClassNames& names, Labels labels) {
  if (images.empty()) throw DataError(archive.string() + ": no image in it");
  std::vector<FoundClass> classes = classes_in(archive, images);
  if (!classes.empty()) return label_by_class(archive, std::move(classes), names);
  return label_by_list(archive.parent_path(), images, names, labels);
}

ImageFolder without_labels(std::vector<ImageFolder::Item> images, const fs::path& place,
                           const std::string& missing, Labels labels) {
  if (labels == Labels::kNeeded) throw DataError(place.string() + ": " + missing);
  if (images.empty()) throw DataError(place.string() + ": no image in it");
  ImageFolder result;
  result.items = std::move(images);
  return result;
}

ImageFolder read_archive(const fs::path& archive, Labels labels, int64_t& passed_over) {
  std::vector<ImageFolder::Item> images = images_in(archive, passed_over);
  const ClassNames names = read_class_names(fs::absolute(archive).parent_path());
  if (auto labelled = label_archive(archive, images, names, labels)) return *labelled;
  return without_labels(std::move(images), archive,
                        "no folder or archive of a class in it, no file of labels beside it",
                        labels);
}

/// Beside folders of classes, an archive is what these were unpacked from.
void pass_over_archives(std::vector<ClassFolder>& folders, int64_t& passed_over) {
  const auto is_archive = [](const ClassFolder& folder) { return folder.is_archive(); };
  if (std::all_of(folders.begin(), folders.end(), is_archive)) return;
  const auto end = std::remove_if(folders.begin(), folders.end(), is_archive);
  passed_over += folders.end() - end;
  folders.erase(end, folders.end());
}

/// Tiny ImageNet's validation images: one folder, and beside it the file that labels them.
bool is_annotated(const fs::path& directory, const std::vector<ClassFolder>& folders) {
  return folders.size() == 1 && fs::is_regular_file(directory / kAnnotations);
}

// A single archive in a folder may be all images.
ImageFolder read_folder(const fs::path& directory, ClassNames names, Labels labels,
                        int64_t& passed_over) {
  std::vector<ClassFolder> folders = class_folders_in(directory, passed_over);
  const auto is_devkit = [](const ClassFolder& folder) { return folder.name == kDevkitFolder; };
  folders.erase(std::remove_if(folders.begin(), folders.end(), is_devkit), folders.end());
  pass_over_archives(folders, passed_over);
  if (folders.size() == 1 && folders.front().is_archive()) {
    const ClassFolder& archive = folders.front();
    std::vector<ImageFolder::Item> images = images_in(archive.path, passed_over);
    if (auto labelled = label_archive(archive.path, images, names, labels)) return *labelled;
    return label_by_class(directory, {{archive.name, std::move(images)}}, std::move(names));
  }
  if (!folders.empty() && !is_annotated(directory, folders)) {
    return read_class_folders(directory, folders, std::move(names), passed_over);
  }
  const fs::path& place = folders.empty() ? directory : folders.front().path;
  std::vector<ImageFolder::Item> images = images_in(place, passed_over);
  if (auto labelled = label_by_list(directory, images, names, labels)) return *labelled;
  return without_labels(std::move(images), place,
                        "no folder of a class, no labels.txt and no other file of labels "
                        "(ILSVRC2012_validation_ground_truth.txt, LOC_val_solution.csv, "
                        "labels.csv, val_annotations.txt)",
                        labels);
}

ImageFolder read_listed_images(const fs::path& directory, ClassNames names) {
  ImageFolder result;
  const fs::path file = directory / kLabelsFile;
  result.items = read_labels(file, names, result.listed_again);
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

ImageFolder read(const fs::path& path, Labels labels, int64_t& passed_over) {
  if (fs::is_regular_file(path) && path.extension() == ".tar") {
    return read_archive(path, labels, passed_over);
  }
  if (!fs::is_directory(path))
    throw DataError(path.string() + ": neither a folder nor a .tar archive");
  ClassNames names = read_class_names(path);
  if (fs::exists(path / kLabelsFile)) return read_listed_images(path, std::move(names));
  return read_folder(path, std::move(names), labels, passed_over);
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

ImageFolder open_image_folder(const std::string& directory, Labels labels) {
  const fs::path path(directory);
  try {
    if (!fs::exists(path)) throw DataError(directory + ": no such folder");
    int64_t passed_over = 0;
    ImageFolder folder = read(path, labels, passed_over);
    folder.passed_over = passed_over;
    return folder;
  } catch (const fs::filesystem_error& error) {
    refuse(path, error);
  }
}

}  // namespace ptq::data
