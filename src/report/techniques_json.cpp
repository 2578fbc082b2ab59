#include <nlohmann/json.hpp>

#include "report/parts.h"

namespace ptq::report {
namespace {

using nlohmann::json;

json rejected_json(const std::vector<passes::RejectedRegion>& rejected) {
  json list = json::array();
  for (const passes::RejectedRegion& region : rejected) {
    list.push_back({{"source", region.source}, {"at", region.at}, {"reason", region.reason}});
  }
  return list;
}

json layers_json(const passes::RegionLayers& region) {
  return {{"sources", region.sources}, {"sinks", region.sinks}, {"channels", region.channels}};
}

json equalized_json(const std::vector<passes::EqualizedRegion>& regions) {
  json list = json::array();
  for (const passes::EqualizedRegion& region : regions) {
    list.push_back(layers_json(region));
    list.back()["range_ratio_before"] = region.range_ratio_before;
    list.back()["range_ratio_after"] = region.range_ratio_after;
  }
  return list;
}

json split_json(const std::vector<passes::SplitRegion>& regions) {
  json list = json::array();
  for (const passes::SplitRegion& region : regions) {
    list.push_back(layers_json(region));
    list.back()["added"] = region.added;
  }
  return list;
}

json rounding_json(const std::vector<workflow::RoundingReport>& reports) {
  json all = json::array();
  for (const workflow::RoundingReport& report : reports) {
    json layers = json::array();
    for (const passes::RoundedLayer& layer : report.layers) {
      layers.push_back({{"name", layer.name},
                        {"error_before", layer.error_before},
                        {"error_after", layer.error_after}});
      if (!layer.left.empty()) layers.back()["left"] = layer.left;
    }
    all.push_back({{"technique", report.technique}, {"layers", std::move(layers)}});
  }
  return all;
}

json rounded_units_json(const std::vector<passes::RoundedUnit>& units) {
  json list = json::array();
  for (const passes::RoundedUnit& unit : units) {
    list.push_back({{"name", unit.name},
                    {"layers", unit.layers},
                    {"error_before", unit.error_before},
                    {"error_after", unit.error_after},
                    {"moved", unit.moved}});
  }
  return list;
}

}  // namespace

json techniques_json(const workflow::TechniqueReports& techniques) {
  json all = json::object();
  if (const auto& report = techniques.equalization) {
    all["equalize_graph"] = {{"regions", report->regions.size()},
                             {"layers", report->layers},
                             {"iterations", report->iterations},
                             {"converged", report->converged},
                             {"range_ratio_before", report->range_ratio_before},
                             {"range_ratio_after", report->range_ratio_after},
                             {"equalized", equalized_json(report->regions)},
                             {"rejected", rejected_json(report->rejected)}};
  }
  if (const auto& report = techniques.splitting) {
    all["split_channels"] = {{"regions", report->regions.size()},
                             {"channels", report->channels},
                             {"split", split_json(report->regions)},
                             {"rejected", rejected_json(report->rejected)}};
  }
  if (const auto& report = techniques.activation_equalization) {
    all["equalize_activations"] = {{"regions", report->regions.size()},
                                   {"layers", report->layers},
                                   {"range_ratio_before", report->range_ratio_before},
                                   {"range_ratio_after", report->range_ratio_after},
                                   {"equalized", equalized_json(report->regions)},
                                   {"rejected", rejected_json(report->rejected)}};
  }
  if (!techniques.rounding.empty()) all["round_weights"] = rounding_json(techniques.rounding);
  if (!techniques.learned_round.empty()) {
    all["learned_round"] = rounded_units_json(techniques.learned_round);
  }
  if (const auto& report = techniques.bias_correction) {
    all["correct_biases"] = {{"layers", report->layers},
                             {"created", report->created},
                             {"mean_shift", report->mean_shift}};
  }
  return all;
}

}  // namespace ptq::report
