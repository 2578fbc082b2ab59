#include "cli/stages/attribution.h"

#include "cli/stages/evaluation_stage.h"
#include "eval/sqnr.h"

namespace ptq::cli {

void Attribution::row(const std::string& stage, const QuantizedNetwork& network) {
  if (!is_on()) return;
  if (!last_) preparation_row(network);
  add(stage, evaluate(run_, {"evaluation after " + stage, runtime::Numerics::kQuantized, true},
                      network, images_));
}

// Without its quantizers a placed network is the prepared one.
void Attribution::preparation_row(const QuantizedNetwork& network) {
  last_ = run_.result.float_evaluation;
  add("preparation",
      evaluate(run_, {"evaluation after preparation", runtime::Numerics::kFloat, true}, network,
               images_));
}

void Attribution::add(const std::string& stage, eval::Evaluation now) {
  AttributionRow row;
  row.stage = stage;
  row.accuracy = now.accuracy;
  row.sqnr = eval::mean_sqnr(run_.result.float_evaluation->logits, now.logits);
  if (last_) row.change = eval::paired_difference(eval::compare(last_->answers(), now.answers()));
  run_.result.attribution.push_back(std::move(row));
  last_ = std::move(now);
}

eval::Evaluation Attribution::evaluation(const QuantizedNetwork& network) {
  if (last_) return std::move(*last_);
  return evaluate(run_,
                  {"quantized evaluation", runtime::Numerics::kQuantized,
                   run_.config.outputs.logits.has_value()},
                  network, images_);
}

}  // namespace ptq::cli
