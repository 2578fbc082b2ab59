#include "workflow/technique_words.h"

#include "base/text.h"

namespace ptq::workflow {
namespace {

std::string range_ratio_words(double before, double after) {
  return "range ratio " + significant(before) + " before, " + significant(after) + " after";
}

/// "conv1 -> conv2, conv3: 64 channels"
std::string layers_words(const passes::RegionLayers& region) {
  const std::string makes = region.sources.empty() ? "" : joined(region.sources) + " ";
  return makes + "-> " + joined(region.sinks) + ": " + std::to_string(region.channels) +
         " channels";
}

std::string words(const passes::EqualizedRegion& region) {
  return layers_words(region) + ", " +
         range_ratio_words(region.range_ratio_before, region.range_ratio_after);
}

std::string words(const passes::SplitRegion& region) {
  return layers_words(region) + ", " + std::to_string(region.added) + " added";
}

template <class Region>
std::vector<std::string> lines(const std::vector<Region>& regions,
                               const std::vector<passes::RejectedRegion>& rejected) {
  std::vector<std::string> lines;
  for (const Region& region : regions) lines.push_back(words(region));
  for (const passes::RejectedRegion& region : rejected) {
    lines.push_back("leaves out " + region.source + ": " + region.at + ": " + region.reason);
  }
  return lines;
}

/// " (relu6-to-relu, merge-batch-norm)"; empty without passes.
std::string pass_words(const FunctionRow& row) {
  std::string names;
  for (const std::string& pass : row.passes) names += (names.empty() ? "" : ", ") + pass;
  return names.empty() ? "" : " (" + names + ")";
}

}  // namespace

std::vector<std::string> explanation(const std::vector<passes::EqualizedRegion>& regions,
                                     const std::vector<passes::RejectedRegion>& rejected) {
  return lines(regions, rejected);
}

std::vector<std::string> explanation(const std::vector<passes::SplitRegion>& regions,
                                     const std::vector<passes::RejectedRegion>& rejected) {
  return lines(regions, rejected);
}

std::string equalization_words(const passes::EqualizationReport& report) {
  return std::to_string(report.regions.size()) + " regions, " + std::to_string(report.layers) +
         " layers, " + std::to_string(report.iterations) + " iterations" +
         (report.converged ? " (converged)" : "") + ", largest " +
         range_ratio_words(report.range_ratio_before, report.range_ratio_after);
}

std::string equalization_words(const passes::ActivationEqualizationReport& report) {
  return std::to_string(report.regions.size()) + " regions, " + std::to_string(report.layers) +
         " layers, largest " +
         range_ratio_words(report.range_ratio_before, report.range_ratio_after);
}

std::string function_line(const FunctionRow& row) {
  const std::string what = row.change.is_rounding()
                               ? ": the float network is the same but for rounding: "
                               : pass_words(row) + ": the float network is another: ";
  return "function    " + row.change.step + what + eval::words_of(row.change);
}

std::string function_warning(const FunctionRow& row) {
  const std::string remedy =
      row.passes == std::vector<std::string>{"relu6-to-relu"} ? "; ReLU6 can be kept instead" : "";
  return row.change.step + pass_words(row) +
         " changes what the float network computes, before anything is quantized: on calibration "
         "images " +
         eval::words_of(row.change) + remedy;
}

std::string relu6_line(const Relu6Choice& choice) {
  const bool is_kept = choice.becomes == passes::Relu6::kKeep;
  return std::string("relu6       ") +
         (is_kept ? "kept, as ReLU in its place would change the network: "
                  : "replaced by ReLU, which changes nothing but rounding: ") +
         eval::words_of(*choice.replaced);
}

}  // namespace ptq::workflow
