#include <nlohmann/json.hpp>

#include "report/parts.h"
#include "workflow/bits/search.h"

namespace ptq::report {
namespace {

using nlohmann::json;

json row_json(const SensitivityRow& row) {
  const bool is_weight = row.kind == quant::QuantizerKind::kWeight;
  return {{"kind", is_weight ? "weight" : "activation"},
          {"group", row.group},
          {"layers", row.layers},
          {"bits", row.bits},
          {"divergence", number_or_null(row.divergence)},
          {"sqnr_db", number_or_null(row.sqnr)},
          {"estimate", number_or_null(row.estimate)}};
}

json interval_json(const std::optional<eval::Interval>& interval) {
  if (!interval) return nullptr;
  return {{"top1", interval->difference}, {"low", interval->low}, {"high", interval->high}};
}

json layer_bits_json(const std::vector<LayerOverride>& layers) {
  json list = json::array();
  for (const LayerOverride& layer : layers) list.push_back(workflow::layer_bits_text(layer));
  return list;
}

}  // namespace

json sensitivity_json(const std::optional<Sensitivity>& sensitivity) {
  if (!sensitivity) return nullptr;
  const Sensitivity& found = *sensitivity;
  json rows = json::array();
  for (const SensitivityRow& row : found.rows) rows.push_back(row_json(row));
  using quant::QuantizerKind;
  return {{"images", found.images},
          {"calibration_images", found.calibration_images},
          {"exact_seconds", found.exact_seconds},
          {"estimate_seconds", found.estimate_seconds},
          {"evaluation_seconds", found.evaluation_seconds},
          {"rank_correlation",
           {{"weights", number_or_null(rank_correlation(found, QuantizerKind::kWeight))},
            {"activations", number_or_null(rank_correlation(found, QuantizerKind::kActivation))}}},
          {"rows", rows}};
}

json bits_json(const std::optional<BitAssignment>& found) {
  if (!found) return nullptr;
  const BitAssignment& bits = *found;
  return {{"layer_bits", layer_bits_json(bits.layer_bits)},
          {"mean_weight_bits", bits.costs.mean_weight_bits},
          {"bytes", bits.costs.bytes ? json(*bits.costs.bytes) : json()},
          {"bit_operations", bits.costs.bit_operations},
          {"divergence", bits.divergence},
          {"uniform_bits", bits.uniform_bits ? json(*bits.uniform_bits) : json()},
          {"uniform_divergence", number_or_null(bits.uniform_divergence)},
          {"steps", bits.steps}};
}

json pareto_json(const std::vector<ParetoRow>& found) {
  if (found.empty()) return nullptr;
  json rows = json::array();
  for (const ParetoRow& row : found) {
    rows.push_back({{"name", row.name},
                    {"budget", number_or_null(row.budget)},
                    {"mean_weight_bits", row.mean_weight_bits},
                    {"correct", row.accuracy.correct},
                    {"count", row.accuracy.count},
                    {"top1", row.accuracy.top1()},
                    {"against_float", interval_json(row.against_float)},
                    {"uniform", row.uniform.empty() ? json() : json(row.uniform)},
                    {"against_uniform", interval_json(row.against_uniform)},
                    {"divergence", number_or_null(row.divergence)},
                    {"layer_bits", layer_bits_json(row.layer_bits)}});
  }
  return rows;
}

}  // namespace ptq::report
