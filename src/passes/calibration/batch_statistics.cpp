#include "passes/calibration/batch_statistics.h"

#include <algorithm>

namespace ptq::passes {

BatchStatistics::BatchStatistics(NetworkView network, const CalibrationOptions& options)
    : table_(network.table), options_(options) {
  for (const ir::Node& node : network.graph.nodes) {
    const auto* fake = node.as<ir::FakeQuantize>();
    if (fake == nullptr || !quant::needs_calibration(table_.at(fake->quantizer))) continue;
    const quant::Quantizer& quantizer = table_.at(fake->quantizer);
    Site site{&node, network.graph.values[static_cast<size_t>(node.inputs[0])].shape, {}, {}, {}};
    if (quantizer.granularity == quant::Granularity::kPerChannel) {
      site.channel_axis = quantizer.axis;
    }
    index_.emplace(&node, sites_.size());
    sites_.push_back(std::move(site));
  }
}

void BatchStatistics::start_batch(int64_t images) {
  passes_ = 0;
  for (Site& site : sites_) {
    const ir::Ints sizes = ir::at_batch(site.shape, images);
    int64_t count = 1;
    for (const int64_t extent : sizes) count *= extent;
    const int64_t channels =
        site.channel_axis ? sizes.at(static_cast<size_t>(*site.channel_axis)) : 1;
    const ir::QuantizerId id = site.node->as<ir::FakeQuantize>()->quantizer;
    site.merged.clear();
    for (int64_t channel = 0; channel < channels; ++channel) {
      site.merged.push_back(
          quant::make_activation_statistic(table_.at(id), table_.scale_of(id).threshold_divisor,
                                           options_.percentile, count / channels));
    }
    passes_ = std::max(passes_, site.merged.front()->passes());
  }
}

void BatchStatistics::start_pass(int pass) {
  for (Site& site : sites_) {
    site.lanes.clear();
    if (pass >= site.merged.front()->passes()) continue;
    for (int lane = 0; lane < options_.execution.threads; ++lane) {
      Statistics& own = site.lanes.emplace_back();
      for (const auto& statistic : site.merged) {
        own.push_back(statistic->clone());
        own.back()->begin_pass(pass);
      }
    }
  }
}

void BatchStatistics::end_pass(int pass) {
  for (Site& site : sites_) {
    if (site.lanes.empty()) continue;
    site.merged = std::move(site.lanes.front());
    for (size_t i = 0; i < site.merged.size(); ++i) {
      for (size_t lane = 1; lane < site.lanes.size(); ++lane) {
        site.merged[i]->merge(*site.lanes[lane][i]);
      }
      site.merged[i]->end_pass(pass);
    }
    site.lanes.clear();
  }
}

void BatchStatistics::observe(const ir::Node& node, const at::Tensor& value, int lane) {
  const auto found = index_.find(&node);
  if (found == index_.end() || sites_[found->second].lanes.empty()) return;
  const Site& site = sites_[found->second];
  const Statistics& statistics = site.lanes[static_cast<size_t>(lane)];
  if (site.channel_axis) {
    const at::Tensor by_channel = value.transpose(0, *site.channel_axis).contiguous();
    const int64_t size = by_channel.numel() / by_channel.size(0);
    const float* values = by_channel.data_ptr<float>();
    for (const auto& statistic : statistics) {
      statistic->add(values, size);
      values += size;
    }
    return;
  }
  const at::Tensor dense = value.is_non_overlapping_and_dense() ? value : value.contiguous();
  statistics.front()->add(dense.data_ptr<float>(), dense.numel());
}

void BatchStatistics::each(const std::function<void(const ir::Node&, const Thresholds&)>& visit) {
  for (const Site& site : sites_) {
    Thresholds thresholds;
    for (const auto& statistic : site.merged) thresholds.push_back(statistic->result());
    visit(*site.node, thresholds);
  }
}

}  // namespace ptq::passes
