#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "ptq/data/image_folder.h"

/// What lies in folders of images and in archives of them. Files and folders that notebooks,
/// archives and file servers leave behind (names that begin with a dot, __MACOSX, @eaDir) are
/// passed over and counted in `passed_over`.
namespace ptq::data {

/// A class: a folder, or an archive of this name.
struct ClassFolder {
  std::string name;
  std::filesystem::path path;

  bool is_archive() const;
};
/// By name. Throws DataError for a link to a folder that does not exist.
std::vector<ClassFolder> class_folders_in(const std::filesystem::path& directory,
                                          int64_t& passed_over);

/// Images of a folder and of those in it, or of an archive, by their folder, then their name. A
/// link to nothing is an image that cannot be read, which the loader names.
std::vector<ImageFolder::Item> images_below(const std::filesystem::path& folder,
                                            int64_t& passed_over);

/// Those of the folder itself, and all of an archive.
std::vector<ImageFolder::Item> images_in(const std::filesystem::path& folder, int64_t& passed_over);

}  // namespace ptq::data
