#include <nlohmann/json.hpp>

#include "parity/export_words.h"
#include "report/parts.h"

namespace ptq::report {
namespace {

using nlohmann::json;

json weight_json(const WeightDetail& layer) {
  return {{"name", layer.name},
          {"operation", layer.operation},
          {"bits", layer.bits},
          {"scales", layer.scales},
          {"smallest", layer.smallest},
          {"largest", layer.largest},
          {"lowest_code", layer.lowest_code},
          {"highest_code", layer.highest_code},
          {"clipped", layer.clipped},
          {"zeroed", layer.zeroed},
          {"codes", layer.codes},
          {"codes_used", layer.codes_used ? json(*layer.codes_used) : json()},
          {"sqnr_db", number_or_null(layer.sqnr)},
          {"histogram",
           {{"low", layer.histogram.low},
            {"high", layer.histogram.high},
            {"counts", layer.histogram.counts}}}};
}

json activation_json(const ActivationDetail& quantizer) {
  return {{"name", quantizer.name},
          {"bits", quantizer.bits},
          {"is_signed", quantizer.is_signed},
          {"scale_id", quantizer.scale},
          {"lowest", number_or_null(quantizer.lowest)},
          {"highest", number_or_null(quantizer.highest)}};
}

json class_json(const ClassDetail& its) {
  return {{"label", its.label},
          {"name", its.name},
          {"count", its.count},
          {"float", its.right_in_float},
          {"quantized", its.right_quantized}};
}

json flip_json(const Flip& flip) {
  return {{"path", flip.path},
          {"label", flip.label},
          {"float", flip.in_float},
          {"quantized", flip.quantized},
          {"label_name", flip.label_name},
          {"float_name", flip.float_name},
          {"quantized_name", flip.quantized_name}};
}

template <class T>
json list(const std::vector<T>& all, json (*one)(const T&)) {
  json made = json::array();
  for (const T& each : all) made.push_back(one(each));
  return made;
}

}  // namespace

void add_details(json& report, const RunResult& result) {
  for (const char* key : {"layers", "activations", "truth", "classes", "flips"}) {
    report[key] = nullptr;
  }
  if (!result.details) return;
  const RunDetails& details = *result.details;
  report["layers"] = list(details.weights, weight_json);
  report["activations"] = list(details.activations, activation_json);
  if (details.truth) report["truth"] = parity::truth_json(*details.truth);
  if (!result.float_evaluation) return;
  report["classes"] = list(details.classes, class_json);
  report["flips"] = list(details.flips, flip_json);
}

}  // namespace ptq::report
