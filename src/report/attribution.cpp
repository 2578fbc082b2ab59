#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "report/parts.h"

namespace ptq::report {
namespace {

using nlohmann::json;

constexpr size_t kShownNodes = 10;

/// `text` in a column of this many characters, to the left.
std::string cell(const std::string& text, size_t width) {
  return text.size() < width ? text + std::string(width - text.size(), ' ') : text + " ";
}

std::string signed_number(double value, int digits) {
  return (value >= 0 ? "+" : "") + fixed(value, digits);
}

std::string change_words(const AttributionRow& row) {
  if (!row.change) return "";
  const eval::Interval& change = *row.change;
  return signed_number(100 * change.difference, 3) + " (" + signed_number(100 * change.low, 3) +
         " to " + signed_number(100 * change.high, 3) + ")";
}

std::string stage_line(const AttributionRow& row, const AttributionRow* before) {
  const eval::Accuracy& accuracy = row.accuracy;
  std::string line =
      "  " + cell(row.stage, 24) +
      cell(fixed(100 * accuracy.top1(), 3) + " % (" + std::to_string(accuracy.correct) + ")", 20) +
      cell(change_words(row), 30) + cell(fixed(row.sqnr, 2), 8);
  if (before != nullptr) line += cell(signed_number(row.sqnr - before->sqnr, 2), 8);
  if (row.harms()) line += "HARMS";
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

std::string share(const std::optional<double>& part) { return part ? fixed(100 * *part, 2) : ""; }

std::string node_line(const eval::NodeNoise& node) {
  const eval::ValueRange& range = node.weight_range ? *node.weight_range : node.range;
  std::string line = "  " + cell(node.name + " (" + node.operation + ")", 58) +
                     cell(fixed(node.median_channel_sqnr, 1), 8) + cell(fixed(node.sqnr, 1), 8);
  line += cell(node.own ? fixed(node.own->sqnr, 1) : "", 8);
  line += cell(node.own && node.own->step ? significant(*node.own->step) : "", 10);
  line += cell(node.own ? share(node.own->vanished) : "", 8);
  line += cell(node.own ? share(node.own->clipped) : "", 8);
  line += cell(significant(range.largest), 10);
  line += std::to_string(range.widest_channel) + " (" + significant(range.widest_to_median) + "x)";
  return line;
}

json range_json(const eval::ValueRange& range) {
  return {{"largest", number_or_null(range.largest)},
          {"widest_channel", range.widest_channel},
          {"widest_to_median", number_or_null(range.widest_to_median)}};
}

json node_json(const eval::NodeNoise& node) {
  json result = {{"name", node.name},
                 {"operation", node.operation},
                 {"sqnr_db", number_or_null(node.sqnr)},
                 {"median_channel_sqnr_db", number_or_null(node.median_channel_sqnr)},
                 {"range", range_json(node.range)}};
  if (const auto& own = node.own) {
    result["own"] = {{"sqnr_db", number_or_null(own->sqnr)},
                     {"step", number_or_null(own->step)},
                     {"vanished", own->vanished},
                     {"clipped", number_or_null(own->clipped)}};
  }
  if (node.weight_range) result["weight_range"] = range_json(*node.weight_range);
  return result;
}

}  // namespace

std::vector<std::string> attribution_lines(const RunResult& result) {
  if (result.attribution.empty()) return {};
  std::vector<std::string> lines = {
      "attribution (each change against the row before, 95 % interval)",
      "  " + cell("after", 24) + cell("top-1", 20) + cell("change in points", 30) +
          cell("SQNR dB", 8) + "change"};
  const AttributionRow* before = nullptr;
  for (const AttributionRow& row : result.attribution) {
    lines.push_back(stage_line(row, before));
    before = &row;
  }
  return lines;
}

std::vector<std::string> node_noise_lines(const RunResult& result) {
  if (result.node_noise.empty()) return {};
  std::vector<std::string> lines = {
      "noisiest nodes, signal to noise in dB: of the median channel, of all values, of the own "
      "quantizer alone",
      "  " + cell("node", 58) + cell("median", 8) + cell("all", 8) + cell("own", 8) +
          cell("step", 10) + cell("zero %", 8) + cell("clip %", 8) + cell("largest", 10) +
          "widest channel"};
  const std::vector<eval::NodeNoise> nodes = eval::worst_first(result.node_noise);
  for (size_t i = 0; i < std::min(kShownNodes, nodes.size()); ++i) {
    lines.push_back(node_line(nodes[i]));
  }
  return lines;
}

json attribution_json(const RunResult& result) {
  if (result.attribution.empty()) return nullptr;
  json list = json::array();
  for (const AttributionRow& row : result.attribution) {
    json entry = {{"stage", row.stage},          {"correct", row.accuracy.correct},
                  {"top1", row.accuracy.top1()}, {"sqnr_db", number_or_null(row.sqnr)},
                  {"harms", row.harms()},        {"change", nullptr}};
    if (row.change) {
      entry["change"] = {
          {"top1", row.change->difference}, {"low", row.change->low}, {"high", row.change->high}};
    }
    list.push_back(std::move(entry));
  }
  return list;
}

json node_noise_json(const RunResult& result) {
  if (result.node_noise.empty()) return nullptr;
  json list = json::array();
  for (const eval::NodeNoise& node : result.node_noise) list.push_back(node_json(node));
  return list;
}

}  // namespace ptq::report
