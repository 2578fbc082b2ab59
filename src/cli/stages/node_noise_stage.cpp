#include "cli/stages/node_noise_stage.h"

#include <algorithm>

#include "ptq/data/normalize.h"

namespace ptq::cli {

void measure_node_noise(Run& run, const ir::Graph& placed, const ir::Graph& graph,
                        const quant::QuantizerTable& table, ImageSets& images) {
  const Config& config = run.config;
  if (config.node_sqnr_images == 0) return;
  const std::string stage = "node SQNR";
  const int64_t wanted = std::min(config.node_sqnr_images, images.validation().size());
  int64_t done = 0;
  const auto next_image = [&]() -> std::optional<at::Tensor> {
    run.log.progress(stage, done, wanted);
    if (done == wanted) return std::nullopt;
    const std::optional<data::Batch> batch = images.validation().next();
    if (!batch) return std::nullopt;
    ++done;
    return data::normalize(batch->pixels, config.recipe).to(config.device);
  };
  run.result.node_noise = timed(run.log, stage, [&] {
    images.validation().start(1);
    return eval::measure_node_noise(placed, graph, table, {config.compile, config.dtype},
                                    next_image);
  });
}

}  // namespace ptq::cli
