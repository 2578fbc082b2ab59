#include "parity/export_words.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace ptq::parity {
namespace {

using nlohmann::json;

json parity_json(const eval::LogitParity& parity) {
  json histogram = json::array();
  for (const auto& bin : parity.histogram) {
    histogram.push_back({{"difference", bin.difference}, {"logits", bin.logits}});
  }
  return {{"images", parity.images},
          {"agreeing", parity.agreeing},
          {"step", parity.step ? json(*parity.step) : json()},
          {"unit", parity.step ? "steps" : "parts of the largest logit"},
          {"largest_difference", parity.largest_difference},
          {"largest_margin", parity.largest_margin},
          {"histogram", histogram}};
}

json disagreement_json(const Disagreement& image) {
  json all = {{"image", image.image},
              {"margin", image.margin},
              {"tie", image.is_tie()},
              {"parting", nullptr}};
  if (const auto& parting = image.parting) {
    all["parting"] = {{"node", parting->node.empty() ? json() : json(parting->node)},
                      {"codes", parting->codes},
                      {"differing", parting->differing},
                      {"largest_steps", parting->largest_steps},
                      {"from_boundary", parting->from_boundary}};
  }
  return all;
}

/// The images of a check whose partings are known.
struct Traced {
  size_t images = 0;
  size_t ties = 0;
  double farthest_tie = 0;
};

Traced traced_in(const ExportCheck& check) {
  Traced traced;
  for (const Disagreement& image : check.disagreeing) {
    if (!image.parting) continue;
    ++traced.images;
    if (!image.is_tie()) continue;
    ++traced.ties;
    traced.farthest_tie = std::max(traced.farthest_tie, image.parting->from_boundary);
  }
  return traced;
}

json check_json(const ExportCheck& check) {
  if (!check.failure.empty()) return {{"runner", check.runner}, {"failure", check.failure}};
  json all = parity_json(check.parity);
  all["runner"] = check.runner;
  all["disagreeing"] = json::array();
  for (const Disagreement& image : check.disagreeing) {
    all["disagreeing"].push_back(disagreement_json(image));
  }
  const Traced traced = traced_in(check);
  all["traced"] = traced.images;
  all["ties"] = traced.ties;
  return all;
}

std::string mebibytes(int64_t bytes) {
  return fixed(static_cast<double>(bytes) / (1024 * 1024), 2) + " MiB";
}

std::string operators_line(const exporting::Truth& truth) {
  std::string integers, floats;
  for (const exporting::OperatorCount& count : truth.operators) {
    if (count.kind == "fake_quantize") continue;
    const auto add = [&](std::string& line, int64_t number) {
      if (number == 0) return;
      line += (line.empty() ? "" : ", ") + std::to_string(number) + " " + count.kind;
    };
    add(integers, count.on_integers);
    add(floats, count.on_floats);
  }
  return "operators   on integers: " + (integers.empty() ? "none" : integers) +
         "; on floats: " + (floats.empty() ? "none" : floats);
}

std::string accumulators_line(const exporting::Truth& truth) {
  if (truth.layers.empty()) return "accumulators no layer multiplies integers by integers";
  const exporting::LayerBits *most = &truth.layers.front(), *least = most;
  for (const exporting::LayerBits& layer : truth.layers) {
    if (layer.accumulator_bits_with_bias > most->accumulator_bits_with_bias) most = &layer;
    if (layer.accumulator_bits_with_bias < least->accumulator_bits_with_bias) least = &layer;
  }
  return "accumulators of " + std::to_string(least->accumulator_bits_with_bias) + " to " +
         std::to_string(most->accumulator_bits_with_bias) + " bits hold every sum, the widest in " +
         most->layer;
}

/// How many of the traced images part at a tie.
std::string ties_clause(const ExportCheck& check) {
  const Traced traced = traced_in(check);
  if (traced.images == 0) return "";
  const bool all = traced.ties == check.disagreeing.size();
  return "; " + (all ? "all " : std::to_string(traced.ties) + " of ") +
         std::to_string(traced.images) + (all ? "" : " traced") +
         " differ at a rounding tie, at most " + significant(traced.farthest_tie) +
         " steps from the boundary";
}

}  // namespace

bool Disagreement::is_tie() const {
  constexpr double kNearBoundary = 1e-3, kNearEqual = 1e-5;
  if (!parting) return false;
  if (parting->node.empty()) return margin < kNearEqual;
  return parting->largest_steps < 1.5 && parting->from_boundary < kNearBoundary;
}

json truth_json(const exporting::Truth& truth) {
  json operators = json::object();
  for (const exporting::OperatorCount& count : truth.operators) {
    operators[count.kind] = {{"on_integers", count.on_integers}, {"on_floats", count.on_floats}};
  }
  json layers = json::array();
  for (const exporting::LayerBits& layer : truth.layers) {
    layers.push_back({{"layer", layer.layer},
                      {"weight_bits", layer.weight_bits},
                      {"input_bits", layer.input_bits},
                      {"accumulator_bits", layer.accumulator_bits},
                      {"accumulator_bits_with_bias", layer.accumulator_bits_with_bias}});
  }
  return {{"operators", operators},
          {"layers", layers},
          {"packed_bytes", truth.packed_bytes},
          {"float_bytes", truth.float_bytes}};
}

json exports_json(const ExportReport& report) {
  json files = json::array();
  for (const ExportedFile& file : report.files) {
    json checks = json::array();
    for (const ExportCheck& check : file.checks) checks.push_back(check_json(check));
    files.push_back(
        {{"format", file.format}, {"path", file.path}, {"bytes", file.bytes}, {"checks", checks}});
  }
  const bool was_asked = report.no_onnx_runtime.empty();
  return {{"files", files},
          {"truth", truth_json(report.truth)},
          {"no_onnx_runtime", was_asked ? json() : json(report.no_onnx_runtime)}};
}

std::vector<std::string> export_lines(const ExportReport& report) {
  std::vector<std::string> lines;
  for (const ExportedFile& file : report.files) {
    lines.push_back("exported    " + file.path + ", " + mebibytes(file.bytes) + ": " +
                    mebibytes(report.truth.packed_bytes) + " packed, " +
                    mebibytes(report.truth.float_bytes) + " in float");
  }
  lines.push_back(operators_line(report.truth));
  lines.push_back(accumulators_line(report.truth));
  return lines;
}

std::vector<std::string> layer_lines(const exporting::Truth& truth) {
  std::vector<std::string> lines;
  for (const exporting::LayerBits& layer : truth.layers) {
    lines.push_back("  " + layer.layer + ": weights " + std::to_string(layer.weight_bits) +
                    ", inputs " + std::to_string(layer.input_bits) + ", accumulator " +
                    std::to_string(layer.accumulator_bits) + " bits, with bias " +
                    std::to_string(layer.accumulator_bits_with_bias));
  }
  return lines;
}

std::string check_line(const ExportedFile& file, const ExportCheck& check) {
  const eval::LogitParity& parity = check.parity;
  std::string line = "check       " + file.format + " in " + check.runner + ": " +
                     std::to_string(parity.agreeing) + " of " + std::to_string(parity.images) +
                     " predictions agree, logits differ by ";
  line += parity.step ? "steps of " + significant(*parity.step) : "parts of the largest";
  for (const auto& bin : parity.histogram) {
    line += (&bin == &parity.histogram.front() ? ": " : ", ") + bin.difference + " in " +
            std::to_string(bin.logits);
  }
  return line;
}

std::string disagreement_sentence(const ExportedFile& file, const ExportCheck& check) {
  const size_t count = check.disagreeing.size();
  std::string sentence = file.path + " in " + check.runner +
                         " and this run predict different classes for " + std::to_string(count) +
                         " of " + std::to_string(check.parity.images) +
                         " images; in this run the logits of the two classes are at most " +
                         significant(check.parity.largest_margin) +
                         (check.parity.step ? " steps" : " of the largest logit") +
                         " apart, first " + check.disagreeing.front().image;
  const auto& parting = check.disagreeing.front().parting;
  if (parting && !parting->node.empty()) {
    sentence += ": codes first differ at " + parting->node + ", " +
                std::to_string(parting->differing) + " of " + std::to_string(parting->codes);
  }
  return sentence + ties_clause(check);
}

}  // namespace ptq::parity
