#include "cli/stages/node_noise_stage.h"

#include <algorithm>

namespace ptq::cli {

void measure_node_noise(Run& run, const ir::Graph& placed, const QuantizedNetwork& network,
                        ImageSets& images) {
  const options::Config& config = run.config;
  if (config.node_sqnr_images == 0) return;
  const std::string stage = "node SQNR";
  const data::ImageSet& validation = images.validation();
  const int64_t wanted = std::min(config.node_sqnr_images, validation.size());
  run.result.node_noise = timed(run.log, stage, [&] {
    data::Batches one_by_one(validation.in_batches_of(1), config.execution.device);
    const auto next_image = [&]() -> std::optional<at::Tensor> {
      run.log.progress(stage, one_by_one.done(), wanted);
      if (one_by_one.done() == wanted) return std::nullopt;
      return one_by_one.next();
    };
    return eval::measure_node_noise(placed, network, config.execution, next_image);
  });
}

}  // namespace ptq::cli
