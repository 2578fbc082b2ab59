#include "passes/scaled_layer.h"

#include <ATen/ops/amax.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/ones.h>

#include <array>
#include <cmath>
#include <map>

#include "passes/channel_axis.h"
#include "quant/vector_clones.h"

namespace ptq::passes {
namespace {

/// Weights nearer to zero count as this beside a bias.
constexpr double kSmallest = 1e-9;
constexpr int64_t kLanes = 16;

PTQ_VECTOR_CLONES
float largest_magnitude(const float* values, int64_t count) {
  std::array<float, kLanes> lanes{};
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      const float magnitude = std::abs(values[i + static_cast<int64_t>(lane)]);
      lanes[lane] = magnitude > lanes[lane] ? magnitude : lanes[lane];
    }
  }
  float largest = 0;
  for (const float lane : lanes) largest = std::max(largest, lane);
  for (; i < count; ++i) largest = std::max(largest, std::abs(values[i]));
  return largest;
}

/// [outputs, inputs, kernel] -> [outputs, inputs].
at::Tensor largest_of(const at::Tensor& weight) {
  const at::Tensor largest = at::empty({weight.size(0), weight.size(1)});
  const int64_t kernel = weight.size(2);
  const float* values = weight.data_ptr<float>();
  float* out = largest.data_ptr<float>();
  for (int64_t i = 0; i < largest.numel(); ++i) {
    out[i] = largest_magnitude(values + i * kernel, kernel);
  }
  return largest;
}

/// Whether every output channel has one input channel, or none: depthwise, normalization.
bool is_one_to_one(const ir::Op& op) {
  return ir::weighted(op) == nullptr || (!std::holds_alternative<ir::ConvTranspose>(op) &&
                                         input_channel_axis(op) == std::optional<int64_t>(0));
}

}  // namespace

ScaledLayer::ScaledLayer(ir::Node& node, Roles roles)
    : node_(&node), one_to_one_(is_one_to_one(node.op)) {
  const ChannelMaker maker = channel_maker(node.op);
  const at::Tensor rows =
      maker.weight->value.to(at::kFloat).movedim(maker.weight_axis, 0).contiguous();
  const int64_t outputs = rows.size(0), inputs = one_to_one_ ? 1 : rows.size(1);
  weight_ = rows.view({outputs, inputs, rows.numel() / outputs / inputs});
  const bool sums_over_inputs = !roles.is_sink && !one_to_one_;
  largest_ = largest_of(sums_over_inputs ? weight_.view({outputs, 1, -1}) : weight_);
  if (!roles.is_source && !one_to_one_) largest_ = largest_.amax(0, true);
  output_factors_ = at::ones({outputs});
  input_factors_ = at::ones({one_to_one_ ? outputs : inputs});
}

at::Tensor ScaledLayer::output_range(MergeBias merge_bias) {
  const at::Tensor range = largest_.amax(1);
  const bool merges = merge_bias == MergeBias::kYes && channel_maker(node_->op).bias != nullptr;
  return merges ? at::maximum(range, shrunk_bias()) : range;
}

at::Tensor ScaledLayer::input_range(int64_t begin, int64_t end) const {
  if (one_to_one_) return largest_.select(1, 0).narrow(0, begin, end - begin).clone();
  return largest_.narrow(1, begin, end - begin).amax(0);
}

at::Tensor ScaledLayer::column_factors() const {
  if (one_to_one_) return at::ones({weight_.size(2)});
  return input_factors_.unsqueeze(1).expand({-1, weight_.size(2)}).contiguous().flatten();
}

/// R is |b| f / (|w| f g) with the factors f of outputs and g of inputs, so f only moves what
/// counts as zero.
at::Tensor ScaledLayer::shrunk_bias() {
  const at::Tensor bias = channel_maker(node_->op).bias->value.to(at::kFloat).contiguous();
  if (!ratios_) {
    const at::Tensor own = one_to_one_ ? bias.div(input_factors_) : bias;
    const at::Tensor smallest =
        (one_to_one_ ? output_factors_.mul(input_factors_) : output_factors_).reciprocal();
    ratios_ = weight_ratios(weight_.flatten(1), column_factors(), own, smallest.mul(kSmallest));
  }
  const at::Tensor scaled = bias.mul(output_factors_).abs();
  const double largest_weight = std::max(largest_.max().item<double>(), kSmallest);
  return scaled.div(bias_shrinkage(*ratios_, scaled.max().item<double>(), largest_weight));
}

void ScaledLayer::scale_outputs(const at::Tensor& factors) {
  largest_.mul_(factors.unsqueeze(1));
  output_factors_.mul_(factors);
}

void ScaledLayer::scale_inputs(int64_t begin, const at::Tensor& factors) {
  at::Tensor largest = largest_.narrow(one_to_one_ ? 0 : 1, begin, factors.numel());
  largest.mul_(one_to_one_ ? factors.unsqueeze(1) : factors);
  input_factors_.narrow(0, begin, factors.numel()).mul_(factors);
  ratios_.reset();
}

void ScaledLayer::write() {
  const ChannelMaker maker = channel_maker(node_->op);
  const at::Tensor rows = one_to_one_ ? output_factors_.mul(input_factors_) : output_factors_;
  at::Tensor scaled = weight_.flatten(1).mul(rows.unsqueeze(1));
  if (!one_to_one_) scaled.mul_(column_factors());
  const at::Tensor& original = maker.weight->value;
  const std::vector<int64_t> sizes = original.movedim(maker.weight_axis, 0).sizes().vec();
  maker.weight->value = scaled.view(sizes).movedim(0, maker.weight_axis).contiguous();
  if (maker.bias != nullptr) maker.bias->value = maker.bias->value.mul(output_factors_);
}

ScaledLayers::ScaledLayers(const std::vector<EqualizationRegion>& regions) {
  std::vector<ir::Node*> nodes;
  std::map<const ir::Node*, ScaledLayer::Roles> roles;
  const auto note = [&](ir::Node* node) -> ScaledLayer::Roles& {
    if (roles.count(node) == 0) nodes.push_back(node);
    return roles[node];
  };
  for (const EqualizationRegion& region : regions) {
    for (const EqualizationSource& source : region.sources) note(source.node).is_source = true;
    for (const EqualizationSink& sink : region.sinks) note(sink.node).is_sink = true;
  }
  for (ir::Node* node : nodes) {
    by_node_[node] = &layers_.emplace_back(*node, roles[node]);
  }
}

void ScaledLayers::write() {
  for (ScaledLayer& layer : layers_) layer.write();
}

}  // namespace ptq::passes
