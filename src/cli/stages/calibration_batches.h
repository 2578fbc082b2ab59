#pragma once

#include <utility>

#include "cli/image_sets.h"
#include "cli/stage.h"
#include "ptq/passes/calibrate.h"

namespace ptq::cli {

/// The calibration images from the first on, with the progress of `stage`; `done` counts them and
/// outlives the batches.
passes::NextBatch calibration_batches(Run& run, ImageSets& images, const std::string& stage,
                                      int64_t& done);

/// `work(next_batch)` as a stage over the calibration images.
template <class Work>
auto over_images(Run& run, ImageSets& images, const std::string& stage, Work&& work) {
  int64_t done = 0;
  return timed(run.log, stage, [&] { return work(calibration_batches(run, images, stage, done)); });
}

}  // namespace ptq::cli
