#include "cli/gate/gating.h"

#include <filesystem>

#include "base/hash.h"
#include "base/text.h"
#include "data/content_hash.h"
#include "options/run_name.h"
#include "ptq/base/error.h"
#include "report/junit.h"

namespace ptq::cli {
namespace {

/// By item of the folder; empty for those that are not evaluated.
std::vector<std::string> hashes_by_item(const data::Loader& images, int threads) {
  const std::vector<std::string> found =
      data::content_hashes(images.folder(), images.items(), threads);
  std::vector<std::string> hashes(images.folder().items.size());
  for (size_t i = 0; i < found.size(); ++i) {
    hashes[static_cast<size_t>(images.items()[i])] = found[i];
  }
  return hashes;
}

/// What the run will find, if every image can be read.
eval::Predictions expected(const data::Loader& images, const std::vector<std::string>& hashes) {
  eval::Evaluation all;
  all.items = images.items();
  all.predictions.assign(all.items.size(), eval::kNoPrediction);
  return eval::predictions_of(all, images.folder(), hashes);
}

eval::Predictions predictions_of(const Run& run, const data::ImageFolder& folder,
                                 const std::vector<std::string>& hashes) {
  eval::Predictions made = eval::predictions_of(run.result.quantized, folder, hashes);
  for (eval::Prediction& image : made.images) {
    image.path =
        std::filesystem::path(image.path).lexically_relative(run.config.validation_dir).string();
  }
  made.run_name = options::run_name(run.settings, run.config);
  made.arithmetic = run.config.execution.arithmetic;
  return made;
}

/// Guards come first: a drop says nothing new about a network that is broken.
void decide(Run& run) {
  RunResult& result = run.result;
  if (!result.guards.empty()) {
    result.verdict = eval::Verdict::kFail;
    result.verdict_words = joined(result.guards, "; ");
  } else if (result.gate) {
    result.verdict = result.gate->judgement.verdict;
    result.verdict_words = eval::words_of(result.gate->judgement, result.gate->rule);
  } else {
    result.verdict = eval::Verdict::kPass;
    result.verdict_words = "nothing looks broken";
  }
}

}  // namespace

Gating::Gating(Run& run, const data::Loader& validation) : validation_(validation) {
  const options::Config& config = run.config;
  if (config.gate.baseline) baseline_ = eval::read_predictions(*config.gate.baseline);
  if (!baseline_ && !config.outputs.predictions) return;
  timed(run.log, "hashes", [&] {
    model_hash_ = sha256_of_file(config.model_file);
    image_hashes_ = hashes_by_item(validation, config.workers);
  });
  if (!baseline_) return;
  if (config.unreadable == data::UnreadableImages::kError) {
    eval::pair(*config.gate.baseline, *baseline_, expected(validation, image_hashes_));
  }
  if (baseline_->model_hash != model_hash_) {
    run.log.line("the baseline " + *config.gate.baseline + " is of another model file");
  }
  const std::string difference = eval::arithmetic_difference(
      "the baseline " + *config.gate.baseline, baseline_->arithmetic, config.execution.arithmetic);
  if (!difference.empty()) run.log.line(difference);
}

void Gating::finish(Run& run) const {
  const options::Outputs& outputs = run.config.outputs;
  if (!image_hashes_.empty()) {
    eval::Predictions now = predictions_of(run, validation_.folder(), image_hashes_);
    now.model_hash = model_hash_;
    run.result.hashes = report::Hashes{model_hash_, now.data_hash};
    if (baseline_) judge(run, now);
    if (outputs.predictions) eval::write_predictions(*outputs.predictions, now);
  }
  if (!run.config.gate.decides()) return;
  decide(run);
  run.log.line(std::string("gate        ") + eval::word(*run.result.verdict) + ": " +
               run.result.verdict_words);
  if (outputs.junit) {
    report::write_gate_junit(*outputs.junit, options::run_name(run.settings, run.config),
                             run.result);
  }
}

void Gating::judge(Run& run, const eval::Predictions& now) const {
  const options::GateConfig& gate = run.config.gate;
  const eval::PairedPredictions paired = eval::pair(*gate.baseline, *baseline_, now);
  run.result.gate = report::GateOutcome{
      *gate.baseline, gate.rule, eval::judge(paired.baseline(), paired.now(), gate.rule),
      baseline_->model_hash == model_hash_ ? report::SameModel::kYes : report::SameModel::kNo,
      baseline_->arithmetic};
}

}  // namespace ptq::cli
