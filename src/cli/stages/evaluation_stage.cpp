#include "cli/stages/evaluation_stage.h"

#include "ptq/runtime/execution.h"

namespace ptq::cli {

eval::Evaluation evaluate(Run& run, const EvaluationStage& stage, const ir::Graph& graph,
                          const quant::QuantizerTable& table, ImageSets& images) {
  const Config& config = run.config;
  runtime::ExecutorOptions executor;
  executor.numerics = stage.numerics;
  executor.arithmetic = config.execution.arithmetic;
  eval::EvaluationOptions options;
  options.recipe = config.recipe;
  options.device = config.execution.device;
  options.keep_logits = stage.keep_logits;
  const data::ImageSet& validation = images.validation();
  return timed(run.log, stage.name, [&] {
    validation.prefetch();
    const auto network = runtime::make_executor(graph, table, config.execution, executor);
    return eval::evaluate(*network, validation.loader(), options, [&](int64_t done) {
      run.log.progress(stage.name, done, validation.size());
    });
  });
}

}  // namespace ptq::cli
