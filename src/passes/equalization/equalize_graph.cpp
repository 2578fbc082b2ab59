#include <ATen/ops/ones_like.h>

#include <algorithm>

#include "passes/equalization/equalization_factors.h"
#include "passes/pass.h"
#include "ptq/passes/equalize.h"

/// conv(W1, b1) -> relu -> conv(W2, b2)  becomes  conv(k W1, k b1) -> relu -> conv(W2 / k, b2)
///   k = sqrt(r2 / r1), r the largest |w| of each channel      (reference-contract 6.4)
namespace ptq::passes {
namespace {

constexpr double kAlpha = 0.5;
/// Factors nearer to 1 than this are done with.
constexpr double kConverged = 0.05;

double weight_range_ratio(const EqualizationRegion& region, ScaledLayers& layers) {
  return range_ratio(source_range(region, layers, MergeBias::kNo), sink_range(region, layers));
}

std::vector<EqualizedRegion> describe(const std::vector<EqualizationRegion>& regions,
                                      ScaledLayers& layers) {
  std::vector<EqualizedRegion> described;
  for (const EqualizationRegion& region : regions) {
    const double ratio = weight_range_ratio(region, layers);
    described.push_back({names_of(region), ratio, ratio});
  }
  return described;
}

void note_largest_ratios(EqualizationReport& report) {
  for (const EqualizedRegion& described : report.regions) {
    report.range_ratio_before = std::max(report.range_ratio_before, described.range_ratio_before);
    report.range_ratio_after = std::max(report.range_ratio_after, described.range_ratio_after);
  }
}

/// Returns the largest |1 - k|.
double equalize(const EqualizationRegion& region, ScaledLayers& layers, MergeBias merge_bias) {
  const at::Tensor factors = equalization_factors(source_range(region, layers, merge_bias),
                                                  sink_range(region, layers), kAlpha);
  scale(region, layers, factors);
  return at::ones_like(factors).sub(factors).abs().max().item<double>();
}

double iterate(const std::vector<EqualizationRegion>& regions, ScaledLayers& layers,
               MergeBias merge_bias) {
  double largest = 0;
  for (const EqualizationRegion& region : regions) {
    largest = std::max(largest, equalize(region, layers, merge_bias));
  }
  return largest;
}

}  // namespace

EqualizationReport equalize_graph(ir::Graph& graph, const EqualizationOptions& options) {
  EqualizationReport report;
  if (options.iterations == 0) return report;
  const EqualizationRegions found = find_equalization_regions(graph, options.clamps);
  report.rejected = found.rejected;
  ScaledLayers layers(found.regions);
  report.regions = describe(found.regions, layers);
  while (!report.converged && report.iterations < options.iterations) {
    report.converged = iterate(found.regions, layers, options.merge_bias) < kConverged;
    ++report.iterations;
  }
  const bool was_equalized = report.converged && report.iterations == 1;
  if (!was_equalized) {
    layers.write();
    report.layers = layers.size();
    for (size_t i = 0; i < found.regions.size(); ++i) {
      report.regions[i].range_ratio_after = weight_range_ratio(found.regions[i], layers);
    }
  }
  note_largest_ratios(report);
  return report;
}

int EqualizeGraph::run(ir::Graph& graph) const {
  const EqualizationReport report = equalize_graph(graph, options_);
  if (options_.on_report) options_.on_report(report);
  return report.layers;
}

}  // namespace ptq::passes
