#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "ptq/data/image_folder.h"

namespace ptq::data {

inline constexpr const char* kLabelsFile = "labels.txt";
inline constexpr const char* kClassesFile = "classes.txt";

/// Class names in index order, and the file they are from; both empty where there is none.
struct ClassNames {
  std::filesystem::path file;
  std::vector<std::string> names;
};

/// classes.txt of the folder or of its parent: one name per line, each once. Throws DataError
/// naming file and line.
ClassNames read_class_names(const std::filesystem::path& directory);

/// Lines of `path index` in the file's order; paths as they stand there, relative to its folder.
/// Counts lines that say what an earlier one said in `listed_again`, and leaves them out. Throws
/// DataError naming file and line (see open_image_folder).
std::vector<ImageFolder::Item> read_labels(const std::filesystem::path& file,
                                           const ClassNames& names, int64_t& listed_again);

/// Without blanks around it.
std::string trimmed(const std::string& text);

/// Calls `visit` with every line that is not blank, trimmed, and its number, from 1. Lines end as
/// on any system; UTF-16 is known by its mark. Throws DataError naming a file that cannot be read,
/// or a line of more than 64 KiB.
void for_each_line(const std::filesystem::path& file,
                   const std::function<void(int line, const std::string& text)>& visit);

/// Counts the line as one that says again which class `name` has, or throws DataError if it says
/// another class.
void list_again(const std::filesystem::path& file, int line, const std::string& name,
                bool same_class, int64_t& listed_again);

/// Throws DataError: `file line 3: reason`.
[[noreturn]] void refuse_line(const std::filesystem::path& file, int line,
                              const std::string& reason);

}  // namespace ptq::data
