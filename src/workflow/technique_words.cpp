#include "workflow/technique_words.h"

#include "ptq/base/text.h"

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

}  // namespace ptq::workflow
