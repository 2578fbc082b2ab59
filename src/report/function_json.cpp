#include <nlohmann/json.hpp>

#include "report/parts.h"

namespace ptq::report {
namespace {

using nlohmann::json;

json change_json(const eval::FunctionChange& change) {
  return {{"step", change.step},
          {"images", change.images},
          {"agreeing", change.agreeing},
          {"sqnr_db", number_or_null(change.sqnr)},
          {"lowest_sqnr_db", number_or_null(change.lowest_sqnr)},
          {"is_rounding", change.is_rounding()}};
}

}  // namespace

json function_json(const workflow::TechniqueReports& result) {
  if (result.function.empty()) return nullptr;
  json list = json::array();
  for (const workflow::FunctionRow& row : result.function) {
    list.push_back(change_json(row.change));
    list.back()["passes"] = row.passes;
  }
  return list;
}

json relu6_json(const workflow::TechniqueReports& result) {
  if (!result.relu6) return nullptr;
  const workflow::Relu6Choice& choice = *result.relu6;
  return {{"becomes", choice.becomes == passes::Relu6::kKeep ? "relu6" : "relu"},
          {"replaced", choice.replaced ? change_json(*choice.replaced) : json()}};
}

}  // namespace ptq::report
