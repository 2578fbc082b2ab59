#include "cli/stages/evaluation_stage.h"

namespace ptq::cli {

eval::Evaluation evaluate(Run& run, const EvaluationStage& stage, const ir::Graph& graph,
                          const quant::QuantizerTable& table, ImageSets& images) {
  const Config& config = run.config;
  runtime::ExecutorOptions executor;
  executor.numerics = stage.numerics;
  executor.threads = config.threads;
  executor.dtype = config.dtype;
  eval::EvaluationOptions options;
  options.recipe = config.recipe;
  options.device = config.device;
  options.keep_logits = stage.keep_logits;
  data::Loader& loader = images.validation();
  return timed(run.log, stage.name, [&] {
    loader.start(config.batch_size_validation);
    const auto network = config.compile ? runtime::make_plan(graph, table, executor)
                                        : runtime::make_interpreter(graph, table, executor);
    return eval::evaluate(*network, loader, options,
                          [&](int64_t done) { run.log.progress(stage.name, done, loader.size()); });
  });
}

}  // namespace ptq::cli
