#include "report_techniques.h"

namespace ptq::cli {
namespace {

using nlohmann::json;

json rejected_json(const std::vector<passes::RejectedRegion>& rejected) {
  json list = json::array();
  for (const passes::RejectedRegion& region : rejected) {
    list.push_back({{"source", region.source}, {"at", region.at}, {"reason", region.reason}});
  }
  return list;
}

}  // namespace

json techniques_json(const RunResult& result) {
  json all = json::object();
  if (const auto& report = result.equalization) {
    all["equalize_graph"] = {{"regions", report->regions},
                             {"layers", report->layers},
                             {"iterations", report->iterations},
                             {"converged", report->converged},
                             {"range_ratio_before", report->range_ratio_before},
                             {"range_ratio_after", report->range_ratio_after},
                             {"rejected", rejected_json(report->rejected)}};
  }
  if (const auto& report = result.splitting) {
    all["split_channels"] = {{"regions", report->regions}, {"channels", report->channels}};
  }
  if (const auto& report = result.activation_equalization) {
    all["equalize_activations"] = {{"regions", report->regions},
                                   {"layers", report->layers},
                                   {"rejected", rejected_json(report->rejected)}};
  }
  if (const auto& report = result.bias_correction) {
    all["correct_biases"] = {{"layers", report->layers},
                             {"created", report->created},
                             {"mean_shift", report->mean_shift}};
  }
  return all;
}

}  // namespace ptq::cli
