#pragma once

#include <vector>

#include "ptq/cli/config.h"
#include "ptq/cli/run.h"
#include "ptq/data/image_folder.h"
#include "ptq/data/loader.h"

namespace ptq::cli {

/// The two image folders of a run and the loaders that read them.
class ImageSets {
 public:
  /// Opens both folders and draws the calibration images, without decoding anything. Throws
  /// DataError naming the folder.
  explicit ImageSets(const Config& config);

  const data::ImageFolder& validation_folder() const { return validation_folder_; }
  /// Images in the calibration folder; calibration().size() of them are used.
  int64_t calibration_available() const { return calibration_available_; }

  data::Loader& calibration() { return calibration_; }
  data::Loader& validation() { return validation_; }

  /// Images skipped so far.
  std::vector<UnreadableImage> unreadable() const;

 private:
  ImageSets(const Config& config, const data::ImageFolder& calibration_folder);

  int64_t calibration_available_;
  data::ImageFolder validation_folder_;
  data::Loader calibration_;
  data::Loader validation_;
};

}  // namespace ptq::cli
