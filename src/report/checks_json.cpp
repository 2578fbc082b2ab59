#include <nlohmann/json.hpp>

#include "ptq/runtime/execution.h"
#include "report/parts.h"

namespace ptq::report {
namespace {

using nlohmann::json;

json pairs_json(const std::vector<data::ContentAudit::Pair>& pairs) {
  json list = json::array();
  for (const data::ContentAudit::Pair& pair : pairs) {
    list.push_back({{"calibration", pair.calibration}, {"other", pair.other}});
  }
  return list;
}

}  // namespace

json audit_json(const std::optional<CalibrationAudit>& audit, AuditDetail detail) {
  if (!audit) return nullptr;
  const data::ClassAudit& classes = audit->classes;
  const data::ContentAudit& contents = audit->contents;
  json all = {{"calibration_classes", classes.calibration_classes},
              {"validation_classes", classes.validation_classes},
              {"covered", classes.covered},
              {"effective_classes", classes.effective_classes},
              {"distance", classes.distance},
              {"usual_distance", classes.usual_distance},
              {"duplicates", contents.duplicates.size()},
              {"in_validation", contents.in_validation.size()}};
  if (detail == AuditDetail::kNumbers) return all;
  json histogram = json::object();
  for (const data::ClassAudit::Count& count : classes.classes) {
    histogram[count.name] = {{"calibration", count.calibration}, {"validation", count.validation}};
  }
  all["classes"] = histogram;
  all["duplicate_files"] = pairs_json(contents.duplicates);
  all["files_in_validation"] = pairs_json(contents.in_validation);
  return all;
}

json draws_json(const std::optional<CalibrationDraws>& draws) {
  if (!draws) return nullptr;
  return {{"seeds", draws->seeds}, {"top1", draws->top1},
          {"mean", draws->mean()}, {"standard_deviation", draws->deviation()},
          {"low", draws->low()},   {"high", draws->high()}};
}

json gate_json(const RunResult& result) {
  if (!result.verdict) return nullptr;
  json gate = {{"verdict", eval::word(*result.verdict)}, {"because", result.verdict_words}};
  if (!result.gate) return gate;
  const GateOutcome& outcome = *result.gate;
  const eval::Judgement& judgement = outcome.judgement;
  gate["top1"] = {{"verdict", eval::word(judgement.verdict)},
                  {"baseline", outcome.baseline},
                  {"same_model", outcome.same_model == SameModel::kYes},
                  {"baseline_arithmetic", runtime::word(outcome.arithmetic)},
                  {"max_drop", outcome.rule.max_drop},
                  {"confidence", outcome.rule.confidence},
                  {"baseline_top1", judgement.baseline.top1()},
                  {"drop", judgement.drop.observed},
                  {"low", judgement.drop.low},
                  {"high", judgement.drop.high},
                  {"only_baseline_right", judgement.flips->only_first_right},
                  {"only_new_right", judgement.flips->only_second_right},
                  {"mcnemar_p", eval::mcnemar_exact(*judgement.flips)}};
  return gate;
}

json hashes_json(const std::optional<Hashes>& hashes) {
  if (!hashes) return nullptr;
  return {{"model", hashes->model}, {"data", hashes->data}};
}

}  // namespace ptq::report
