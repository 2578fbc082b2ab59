#include "passes/calibration/threshold_means.h"

#include <ATen/ops/stack.h>

#include <cmath>

#include "ptq/base/error.h"
#include "quant/activation_statistic.h"

namespace ptq::passes {
namespace {

constexpr auto kZeroPoint = quant::RunningMean::Of::kZeroPoint;

/// `convert` of each mean, [] or [channels].
template <class Convert>
at::Tensor by_channel(const std::vector<quant::RunningMean>& means, bool is_per_channel,
                      const Convert& convert) {
  std::vector<at::Tensor> found;
  for (size_t i = 0; i < means.size(); ++i) found.push_back(convert(means[i].value(), i));
  return is_per_channel ? at::stack(found) : found.front();
}

}  // namespace

ThresholdMeans::ThresholdMeans(const quant::QuantizerTable& table)
    : table_(table),
      thresholds_(table.scales.size(), RunningMeans(1)),
      zero_points_(table.quantizers.size(), RunningMeans(1, quant::RunningMean(kZeroPoint))) {}

void ThresholdMeans::add(const ir::Node& node, const BatchStatistics::Thresholds& found) {
  const ir::QuantizerId id = node.as<ir::FakeQuantize>()->quantizer;
  RunningMeans& thresholds = thresholds_[static_cast<size_t>(table_.at(id).scale)];
  RunningMeans& zero_points = zero_points_[static_cast<size_t>(id)];
  thresholds.resize(found.size());
  zero_points.resize(found.size(), quant::RunningMean(kZeroPoint));
  for (size_t i = 0; i < found.size(); ++i) {
    if (!std::isfinite(found[i].threshold) || !std::isfinite(found[i].zero_point)) {
      throw QuantizationError(node.name + ": its values are not finite on the calibration images");
    }
    thresholds[i].add(found[i].threshold);
    zero_points[i].add(found[i].zero_point);
  }
}

void ThresholdMeans::write(quant::QuantizerTable& table) const {
  for (size_t id = 0; id < table.quantizers.size(); ++id) {
    quant::Quantizer& quantizer = table.quantizers[id];
    if (!quant::needs_calibration(quantizer)) continue;
    const bool is_per_channel = quantizer.granularity == quant::Granularity::kPerChannel;
    quant::Scale& scale = table.scales[static_cast<size_t>(quantizer.scale)];
    scale.value = by_channel(
        thresholds_[static_cast<size_t>(quantizer.scale)], is_per_channel, [&](float mean, size_t) {
          return quant::activation_scale(mean, scale.threshold_divisor, quantizer.scale_type);
        });
    if (quantizer.symmetry == quant::Symmetry::kSymmetric) continue;
    const at::Tensor scales = scale.value.reshape({-1});
    quantizer.zero_point = by_channel(zero_points_[id], is_per_channel, [&](float mean, size_t i) {
      return quant::activation_zero_point(mean, scales[static_cast<int64_t>(i)],
                                          *quantizer.integer());
    });
  }
  table.derive_scales();
}

}  // namespace ptq::passes
