#include "cli/stages/calibration_batches.h"

#include "ptq/data/normalize.h"

namespace ptq::cli {

passes::NextBatch calibration_batches(Run& run, ImageSets& images, const std::string& stage,
                                      int64_t& done) {
  images.calibration().start(run.config.batch_size_calibration);
  return [&run, &images, stage, &done]() -> std::optional<at::Tensor> {
    run.log.progress(stage, done, images.calibration().size());
    const std::optional<data::Batch> batch = images.calibration().next();
    if (!batch) return std::nullopt;
    done += static_cast<int64_t>(batch->items.size());
    return data::normalize(batch->pixels, run.config.recipe).to(run.config.device);
  };
}

}  // namespace ptq::cli
