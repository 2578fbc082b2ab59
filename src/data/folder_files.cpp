#include "data/folder_files.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>
#include <utility>

#include "data/tar.h"
#include "ptq/base/error.h"

namespace ptq::data {
namespace {

namespace fs = std::filesystem;

std::string suffix_of(const fs::path& path) {
  std::string suffix = path.extension().string();
  std::transform(suffix.begin(), suffix.end(), suffix.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return suffix;
}

bool is_image(const fs::path& path) {
  static constexpr std::array<std::string_view, 7> kSuffixes = {".jpg",  ".jpeg", ".png", ".bmp",
                                                                ".webp", ".tif",  ".tiff"};
  return std::find(kSuffixes.begin(), kSuffixes.end(), suffix_of(path)) != kSuffixes.end();
}

bool is_leftover_name(const std::string& name) {
  return name.empty() || name.front() == '.' || name == "__MACOSX" || name == "@eaDir";
}
bool is_leftover(const fs::path& path) { return is_leftover_name(path.filename().string()); }

bool is_dangling(const fs::directory_entry& entry) { return entry.is_symlink() && !entry.exists(); }

/// `./n01440764/a.JPEG` has none; a dot itself is no name.
bool has_leftover(const fs::path& member) {
  return std::any_of(member.begin(), member.end(), [](const fs::path& part) {
    return part != "." && is_leftover_name(part.string());
  });
}

/// Its folder and its name; a list may have a million.
std::pair<std::string_view, std::string_view> parts_of(std::string_view path) {
  const size_t name = path.rfind('/') + 1;  // 0 where there is no folder
  std::string_view folder = path.substr(0, name);
  while (!folder.empty() && folder.back() == '/') folder.remove_suffix(1);
  return {folder, path.substr(name)};
}

void sort(std::vector<ImageFolder::Item>& items) {
  std::sort(items.begin(), items.end(),
            [](const auto& a, const auto& b) { return parts_of(a.path) < parts_of(b.path); });
}

std::vector<ImageFolder::Item> images_of_archive(const fs::path& archive, int64_t& passed_over) {
  std::vector<ImageFolder::Item> items;
  for (const TarMember& member : read_tar(archive.string())) {
    if (has_leftover(member.name)) {
      ++passed_over;
    } else if (is_image(member.name)) {
      items.push_back(
          {archive.string() + "/" + member.name, 0, archive.string(), member.offset, member.size});
    }
  }
  return items;
}

}  // namespace

bool ClassFolder::is_archive() const {
  return suffix_of(path) == ".tar" && fs::is_regular_file(path);
}

std::vector<ClassFolder> class_folders_in(const fs::path& directory, int64_t& passed_over) {
  std::vector<ClassFolder> folders;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    const fs::path& path = entry.path();
    if (is_leftover(path)) {
      ++passed_over;
      continue;
    }
    if (is_dangling(entry) && !is_image(path)) {
      throw DataError(path.string() + " is a link to a folder that does not exist");
    }
    if (entry.is_directory()) folders.push_back({path.filename().string(), path});
    const ClassFolder archive{path.stem().string(), path};
    if (archive.is_archive()) folders.push_back(archive);
  }
  std::sort(folders.begin(), folders.end(),
            [](const ClassFolder& a, const ClassFolder& b) { return a.name < b.name; });
  return folders;
}

std::vector<ImageFolder::Item> images_below(const fs::path& folder, int64_t& passed_over) {
  std::vector<ImageFolder::Item> items;
  if (fs::is_regular_file(folder)) {
    items = images_of_archive(folder, passed_over);
  } else {
    const auto options = fs::directory_options::follow_directory_symlink;
    fs::recursive_directory_iterator entry(folder, options);
    for (; entry != fs::recursive_directory_iterator(); ++entry) {
      if (is_leftover(entry->path())) {
        ++passed_over;
        entry.disable_recursion_pending();
        continue;
      }
      const bool is_file = entry->is_regular_file() || is_dangling(*entry);
      if (is_file && is_image(entry->path())) items.push_back({entry->path().string()});
    }
  }
  sort(items);
  return items;
}

std::vector<ImageFolder::Item> images_in(const fs::path& folder, int64_t& passed_over) {
  if (fs::is_regular_file(folder)) return images_below(folder, passed_over);
  std::vector<ImageFolder::Item> items;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (!is_leftover(entry.path()) && is_image(entry.path())) {
      items.push_back({entry.path().string()});
    }
  }
  sort(items);
  return items;
}

}  // namespace ptq::data
