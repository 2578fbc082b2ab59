#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ptq::data {

/// Images on disk. Labels are indices into `classes`; images without labels have no classes.
struct ImageFolder {
  struct Item {
    /// Of a file, or `archive.tar/name`.
    std::string path;
    int64_t label = 0;
    /// Where an image in an archive lies; empty for a file.
    std::string archive = {};
    int64_t offset = 0;
    int64_t size = 0;
  };
  std::vector<std::string> classes;
  std::vector<Item> items;
  /// Hidden files, and archives beside class folders, that were passed over.
  int64_t passed_over = 0;
  /// Lines of a list that say what an earlier line said.
  int64_t listed_again = 0;

  bool is_labelled() const { return !classes.empty(); }
};

/// Calibration does without labels, and then only spreads less evenly.
enum class Labels { kNeeded, kOptional };

/// Puts a class `background` before all others: labels grow by one.
void add_background_class(ImageFolder& folder);

/// Reads a folder in one of these layouts:
///
/// - `<directory>/<class>/**/<image>`: classes are the folders in lexicographic order, images of a
///   class come in the order of their folder and name (torchvision's ImageFolder). A class folder
///   without an image is refused, because it would shift the labels behind it.
/// - the same with `classes.txt` (one class name a line, in index order) in the folder or its
///   parent: a folder's name says its label, so that folders may be missing.
/// - `<directory>/labels.txt`, lines of `path index` with the path relative to the folder: these
///   images and no others, in the order of their paths. Classes are named by `classes.txt`, or by
///   their numbers where it does not exist.
///
/// - a folder of images, or a .tar archive of them, labelled as ImageNet is shipped: see
///   data/imagenet_labels.h; or, if labels are optional, without any.
///
/// A class may be an archive `<class>.tar` in place of a folder, and a .tar archive may stand for
/// the folder of all classes; archives are read in place.
/// Files are images by their suffix: jpg, jpeg, png, bmp, webp, tif, tiff, in any case. Folders and
/// files whose name begins with a dot, __MACOSX and @eaDir are passed over. Text files may be
/// UTF-8, with or without a mark, or UTF-16 with one. A link to nothing counts as an image. Nothing
/// is opened. Throws DataError naming the folder, or file and line, for: a path that is missing or
/// no folder; no class folder; a class without image; a folder that classes.txt does not name; a
/// malformed line; an index out of range; a path that is missing, or listed with two classes.
ImageFolder open_image_folder(const std::string& directory, Labels labels = Labels::kNeeded);

}  // namespace ptq::data
