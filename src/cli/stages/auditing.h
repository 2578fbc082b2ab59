#pragma once

#include <future>

#include "cli/image_sets.h"
#include "cli/stage.h"

namespace ptq::cli {

/// Looks at the drawn calibration images (data/calibration_audit.h) while the run goes on. What is
/// wrong with them is a warning; --audit-calibration says all there is to say.
class Auditing {
 public:
  /// Says how many classes were drawn, and starts to compare files. Both image folders outlive it.
  Auditing(Run& run, ImageSets& images);

  /// Waits for the end, warns, and puts the audit into the result.
  void finish(Run& run, ImageSets& images);

 private:
  data::ClassAudit classes_;
  std::future<data::ContentAudit> contents_;
};

}  // namespace ptq::cli
