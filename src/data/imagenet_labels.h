#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/label_files.h"
#include "ptq/base/error.h"
#include "ptq/data/image_folder.h"

namespace ptq::data {

/// As the devkit's archive unpacks.
inline constexpr const char* kDevkitFolder = "ILSVRC2012_devkit_t12";

/// Beside the folder of images in Tiny ImageNet: file, class and box, separated by tabs.
inline constexpr const char* kAnnotations = "val_annotations.txt";

/// An image that the file of labels does not name.
struct MissingLabel : DataError {
  using DataError::DataError;
};

/// The file that labels the images of a flat folder as ImageNet's are labelled:
/// LOC_val_solution.csv or labels.csv (`file,class`, or columns that a heading names, among them
/// Kaggle's `ImageId,PredictionString`, whose first word is the class),
/// Tiny ImageNet's val_annotations.txt, ILSVRC2012_validation_ground_truth.txt (a number of the
/// devkit for each image), or imagenet_2012_validation_synset_labels.txt (a class for each image);
/// in the folder, in one of the two above it, or in an ILSVRC2012_devkit_t12/data there.
std::optional<std::filesystem::path> find_imagenet_labels(const std::filesystem::path& folder);

/// Gives `images` their labels. Classes are those of `names`; else those of Kaggle's
/// LOC_synset_mapping.txt beside the file, of Tiny ImageNet's wnids.txt there or above or, for
/// numbers of the devkit, of its meta.mat or of synsets.txt (a class a line, in the devkit's
/// order); else those that occur; in the order of their names, as torchvision has them. Throws
/// DataError naming file and line, and MissingLabel.
ImageFolder label_by_imagenet(std::vector<ImageFolder::Item> images,
                              const std::filesystem::path& file, ClassNames names);

}  // namespace ptq::data
