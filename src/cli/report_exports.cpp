#include "report_exports.h"

#include "words.h"

namespace ptq::cli {
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

json check_json(const ExportCheck& check) {
  if (!check.failure.empty()) return {{"runner", check.runner}, {"failure", check.failure}};
  json all = parity_json(check.parity);
  all["runner"] = check.runner;
  all["disagreeing"] = check.disagreeing;
  all["parting"] = nullptr;
  if (const auto& parting = check.parting) {
    all["parting"] = {{"node", parting->node},
                      {"codes", parting->codes},
                      {"differing", parting->differing},
                      {"largest_steps", parting->largest_steps},
                      {"from_boundary", parting->from_boundary}};
  }
  return all;
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
  if (truth.layers.empty()) return "accumulators no layer multiplies integers with integers";
  const exporting::LayerBits *most = &truth.layers.front(), *least = most;
  for (const exporting::LayerBits& layer : truth.layers) {
    if (layer.accumulator_bits_with_bias > most->accumulator_bits_with_bias) most = &layer;
    if (layer.accumulator_bits_with_bias < least->accumulator_bits_with_bias) least = &layer;
  }
  return "accumulators of " + std::to_string(least->accumulator_bits_with_bias) + " to " +
         std::to_string(most->accumulator_bits_with_bias) + " bits hold every sum, the widest in " +
         most->layer;
}

}  // namespace

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
  std::string sentence = file.path + " in " + check.runner + " answers " + std::to_string(count) +
                         " of " + std::to_string(check.parity.images) +
                         " images otherwise than this run, whose two classes lie at most " +
                         significant(check.parity.largest_margin) +
                         (check.parity.step ? " steps" : " of the largest logit") +
                         " apart, first " + check.disagreeing.front();
  if (const auto& parting = check.parting) {
    sentence += ": codes part at " + parting->node + ", " + std::to_string(parting->differing) +
                " of " + std::to_string(parting->codes) + ", where values lie at most " +
                significant(parting->from_boundary) + " steps from a rounding boundary";
  }
  return sentence;
}

}  // namespace ptq::cli
