#include "cli/stages/evaluation_stage.h"

#include <optional>
#include <utility>

#include "cli/stages/kept_answers.h"
#include "ptq/runtime/execution.h"

namespace ptq::cli {

eval::Evaluation evaluate(Run& run, const EvaluationStage& stage, const QuantizedNetwork& network,
                          ImageSets& images) {
  const options::Config& config = run.config;
  runtime::ExecutorOptions how;
  how.numerics = stage.numerics;
  how.arithmetic = config.execution.arithmetic;
  eval::EvaluationOptions options;
  options.recipe = config.recipe;
  options.device = config.execution.device;
  const data::ImageSet& validation = images.validation();
  return timed(run.log, stage.name, [&] {
    const KeptAnswers kept(run, stage, network, validation);
    std::optional<eval::Evaluation> evaluation = kept.find();
    if (evaluation) {
      run.result.from_cache.push_back(stage.name);
    } else {
      options.keep_logits = stage.keep_logits || kept.are_wanted();
      validation.prefetch();
      const auto executor = runtime::make_executor(network, config.execution, how);
      evaluation = eval::evaluate(*executor, validation.loader(), options, [&](int64_t done) {
        run.log.progress(stage.name, done, validation.size());
      });
      kept.keep(*evaluation);
    }
    if (!stage.keep_logits) evaluation->logits.reset();
    return *std::move(evaluation);
  });
}

}  // namespace ptq::cli
