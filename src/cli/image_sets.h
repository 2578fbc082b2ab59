#pragma once

#include <memory>
#include <vector>

#include "ptq/cli/config.h"
#include "ptq/cli/run.h"
#include "ptq/data/image_folder.h"
#include "ptq/data/loader.h"

namespace ptq::cli {

/// A folder and the loader of those of its images that are used.
struct OpenImages {
  data::ImageFolder folder;
  data::Loader loader;
};

struct SharedStages;

/// The two image folders of a run and the loaders that read them.
class ImageSets {
 public:
  /// Opens both folders and draws the images, without decoding anything; folders that an earlier
  /// run opened the same way are taken over with the images it decoded. Throws DataError naming
  /// the folder.
  ImageSets(const Config& config, SharedStages& shared);

  const data::ImageFolder& validation_folder() const { return validation_->folder; }
  /// Images in the calibration folder; calibration().size() of them are used.
  int64_t calibration_available() const {
    return static_cast<int64_t>(calibration_->folder.items.size());
  }

  data::Loader& calibration() { return calibration_->loader; }
  data::Loader& validation() { return validation_->loader; }

  /// Images skipped so far.
  std::vector<UnreadableImage> unreadable() const;

 private:
  std::shared_ptr<OpenImages> calibration_, validation_;
};

}  // namespace ptq::cli
