#include "passes/batch_statistics.h"

#include <algorithm>

namespace ptq::passes {

bool needs_calibration(const quant::Quantizer& quantizer) {
  return quantizer.is_static_per_tensor();
}

BatchStatistics::BatchStatistics(const ir::Graph& graph, const quant::QuantizerTable& table,
                                 const CalibrationOptions& options)
    : table_(table), options_(options) {
  for (const ir::Node& node : graph.nodes) {
    const auto* fake = node.as<ir::FakeQuantize>();
    if (fake == nullptr || !needs_calibration(table.at(fake->quantizer))) continue;
    index_.emplace(&node, sites_.size());
    sites_.push_back({&node, graph.values[static_cast<size_t>(node.inputs[0])].shape, {}, {}});
  }
}

void BatchStatistics::start_batch(int64_t images) {
  passes_ = 0;
  for (Site& site : sites_) {
    int64_t count = 1;
    for (const int64_t extent : ir::at_batch(site.shape, images)) count *= extent;
    const ir::QuantizerId id = site.node->as<ir::FakeQuantize>()->quantizer;
    site.merged = quant::make_activation_statistic(
        table_.at(id), table_.scale_of(id).threshold_divisor, options_.percentile, count);
    passes_ = std::max(passes_, site.merged->passes());
  }
}

void BatchStatistics::start_pass(int pass) {
  for (Site& site : sites_) {
    site.lanes.clear();
    if (pass >= site.merged->passes()) continue;
    for (int lane = 0; lane < options_.threads; ++lane) {
      site.lanes.push_back(site.merged->clone());
      site.lanes.back()->begin_pass(pass);
    }
  }
}

void BatchStatistics::end_pass(int pass) {
  for (Site& site : sites_) {
    if (site.lanes.empty()) continue;
    site.merged = std::move(site.lanes.front());
    for (size_t lane = 1; lane < site.lanes.size(); ++lane) site.merged->merge(*site.lanes[lane]);
    site.merged->end_pass(pass);
    site.lanes.clear();
  }
}

void BatchStatistics::observe(const ir::Node& node, const at::Tensor& value, int lane) {
  const auto site = index_.find(&node);
  if (site == index_.end() || sites_[site->second].lanes.empty()) return;
  const at::Tensor dense = value.is_non_overlapping_and_dense() ? value : value.contiguous();
  sites_[site->second].lanes[static_cast<size_t>(lane)]->add(dense.data_ptr<float>(),
                                                             dense.numel());
}

void BatchStatistics::each(
    const std::function<void(const ir::Node&, const quant::ActivationThreshold&)>& visit) {
  for (Site& site : sites_) visit(*site.node, site.merged->result());
}

}  // namespace ptq::passes
