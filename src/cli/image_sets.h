#pragma once

#include <memory>
#include <vector>

#include "base/content_cache.h"
#include "cli/run.h"
#include "options/config/config.h"
#include "ptq/data/image_set.h"
#include "workflow/session.h"

namespace ptq::cli {

/// The two image folders of a run, and those of their images that are used.
class ImageSets {
 public:
  /// Opens both folders and draws the images, without decoding anything; folders that an earlier
  /// run of the session opened the same way are taken over with the images it decoded. Throws
  /// DataError naming the folder.
  ImageSets(const options::Config& config, workflow::Session& session);

  const data::ImageSet& calibration() const { return calibration_; }
  const data::ImageSet& validation() const { return validation_; }

  /// Images skipped so far.
  std::vector<UnreadableImage> unreadable() const;

 private:
  std::shared_ptr<ContentCache> cache_;  // first: the sets read from it
  data::ImageSet calibration_, validation_;
};

/// What the session may share of a run.
workflow::Source source_of(const options::Config& config);
/// Of the validation images.
std::string validation_key(const options::Config& config);

}  // namespace ptq::cli
