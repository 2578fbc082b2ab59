#include <ATen/ops/ones_like.h>

#include <algorithm>
#include <set>

#include "passes/channel_axis.h"
#include "passes/equalization_factors.h"
#include "passes/pass.h"
#include "ptq/passes/equalize.h"

/// conv(W1, b1) -> relu -> conv(W2, b2)  becomes  conv(k W1, k b1) -> relu -> conv(W2 / k, b2)
///   k = sqrt(r2 / r1), r the largest |w| of each channel      (reference-behaviour 6.4)
namespace ptq::passes {
namespace {

constexpr double kAlpha = 0.5;
/// Factors nearer to 1 than this are done with.
constexpr double kConverged = 0.05;

/// The weights and biases of all layers of the regions, each replaced by a copy to write into.
class WritableTensors {
 public:
  explicit WritableTensors(const std::vector<EqualizationRegion>& regions) {
    for (const EqualizationRegion& region : regions) {
      for (const EqualizationSource& source : region.sources) copy(*source.node);
      for (const EqualizationSink& sink : region.sinks) copy(*sink.node);
    }
  }

  int layers() const { return static_cast<int>(nodes_.size()); }
  void restore() {
    for (auto& [parameter, original] : originals_) parameter->value = original;
  }

 private:
  void copy(ir::Node& node) {
    if (!nodes_.insert(&node).second) return;
    const ChannelMaker maker = channel_maker(node.op);
    copy(maker.weight);
    if (maker.bias != nullptr) copy(maker.bias);
  }

  void copy(ir::Parameter* parameter) {
    originals_.emplace_back(parameter, parameter->value);
    parameter->value = parameter->value.to(at::kFloat, false, true).contiguous();
  }

  std::set<const ir::Node*> nodes_;
  std::vector<std::pair<ir::Parameter*, at::Tensor>> originals_;
};

double largest_range_ratio(const std::vector<EqualizationRegion>& regions) {
  double largest = 1;
  for (const EqualizationRegion& region : regions) {
    const at::Tensor made = source_range(region, MergeBias::kNo);
    largest = std::max(largest, range_ratio(made, sink_range(region)));
  }
  return largest;
}

/// Returns the largest |1 - k|.
double equalize(const EqualizationRegion& region, MergeBias merge_bias) {
  const at::Tensor factors =
      equalization_factors(source_range(region, merge_bias), sink_range(region), kAlpha);
  scale_in_place(region, factors);
  return at::ones_like(factors).sub(factors).abs().max().item<double>();
}

double iterate(const std::vector<EqualizationRegion>& regions, MergeBias merge_bias) {
  double largest = 0;
  for (const EqualizationRegion& region : regions) {
    largest = std::max(largest, equalize(region, merge_bias));
  }
  return largest;
}

}  // namespace

EqualizationReport equalize_graph(ir::Graph& graph, const EqualizationOptions& options) {
  EqualizationReport report;
  if (options.iterations == 0) return report;
  const EqualizationRegions found = find_equalization_regions(graph);
  report.regions = static_cast<int>(found.regions.size());
  report.rejected = found.rejected;
  report.range_ratio_before = report.range_ratio_after = largest_range_ratio(found.regions);
  WritableTensors tensors(found.regions);
  while (!report.converged && report.iterations < options.iterations) {
    report.converged = iterate(found.regions, options.merge_bias) < kConverged;
    ++report.iterations;
  }
  if (report.converged && report.iterations == 1) {
    tensors.restore();  // equalized before
    return report;
  }
  report.layers = tensors.layers();
  report.range_ratio_after = largest_range_ratio(found.regions);
  return report;
}

int EqualizeGraph::run(ir::Graph& graph) const {
  const EqualizationReport report = equalize_graph(graph, options_);
  if (options_.on_report) options_.on_report(report);
  return report.layers;
}

}  // namespace ptq::passes
