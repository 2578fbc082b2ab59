#include "passes/equalization/scaled_layer.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/threads.h"
#include "base/vector_loop.h"
#include "passes/equalization/channel_axis.h"

namespace ptq::passes {
namespace {

/// Weights nearer to zero count as this beside a bias.
constexpr double kSmallest = 1e-9;

/// Raises largest[c] to the largest |value| of its kernel of `size` values.
constexpr VectorLoop raise_to_magnitudes = [](const float* values, int64_t size, float* largest,
                                              int64_t channels) {
  if (size == 1) {
    for (int64_t c = 0; c < channels; ++c) {
      const float magnitude = std::abs(values[c]);
      largest[c] = magnitude > largest[c] ? magnitude : largest[c];
    }
    return;
  }
  for (int64_t c = 0; c < channels; ++c) {
    const float* kernel = values + c * size;
    float most = largest[c];
#pragma omp simd reduction(max : most)
    for (int64_t i = 0; i < size; ++i) {
      const float magnitude = std::abs(kernel[i]);
      most = magnitude > most ? magnitude : most;
    }
    largest[c] = most;
  }
};

/// Of numbers that are not negative.
constexpr VectorLoop largest_of = [](const float* values, int64_t count) {
  float largest = 0;
#pragma omp simd reduction(max : largest)
  for (int64_t i = 0; i < count; ++i) largest = values[i] > largest ? values[i] : largest;
  return largest;
};

constexpr VectorLoop scale_in_place = [](float* values, float factor, int64_t count) {
  for (int64_t i = 0; i < count; ++i) values[i] *= factor;
};

constexpr VectorLoop scale_each_in_place = [](float* values, const float* factors, int64_t count) {
  for (int64_t i = 0; i < count; ++i) values[i] *= factors[i];
};

constexpr VectorLoop scale_row = [](const float* values, float factor, const float* factors,
                                    float* scaled, int64_t count) {
  for (int64_t i = 0; i < count; ++i) scaled[i] = values[i] * factor * factors[i];
};

enum class Over { kKernels, kOutputs };

/// [outputs, inputs, kernel] -> [outputs, inputs], or [1, inputs].
at::Tensor largest_magnitudes(const at::Tensor& weight, Over over) {
  const int64_t outputs = weight.size(0), inputs = weight.size(1), kernel = weight.size(2);
  const at::Tensor largest = at::zeros({over == Over::kOutputs ? 1 : outputs, inputs});
  const float* values = weight.data_ptr<float>();
  float* out = largest.data_ptr<float>();
  for (int64_t row = 0; row < outputs; ++row) {
    raise_to_magnitudes(values + row * inputs * kernel, kernel, out, inputs);
    if (over == Over::kKernels) out += inputs;
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
  const bool is_source_alone = !roles.is_sink && !one_to_one_;
  const bool is_sink_alone = !roles.is_source && !one_to_one_;
  largest_ = largest_magnitudes(is_source_alone ? weight_.view({outputs, 1, -1}) : weight_,
                                is_sink_alone ? Over::kOutputs : Over::kKernels);
  output_factors_ = at::ones({outputs});
  input_factors_ = at::ones({one_to_one_ ? outputs : inputs});
}

at::Tensor ScaledLayer::output_range(MergeBias merge_bias) {
  const at::Tensor range = at::empty({largest_.size(0)});
  read_rows([&](int64_t row, const float* largest) {
    range.data_ptr<float>()[row] = largest_of(largest, largest_.size(1));
  });
  const bool merges = merge_bias == MergeBias::kYes && channel_maker(node_->op).bias != nullptr;
  return merges ? at::maximum(range, shrunk_bias(range)) : range;
}

at::Tensor ScaledLayer::input_range(int64_t begin, int64_t end) {
  if (one_to_one_) {
    settle();
    return largest_.select(1, 0).narrow(0, begin, end - begin).clone();
  }
  const at::Tensor range = at::zeros({end - begin});
  read_rows([&](int64_t, const float* largest) {
    raise_to_magnitudes(largest + begin, 1, range.data_ptr<float>(), end - begin);
  });
  return range;
}

void ScaledLayer::read_rows(const std::function<void(int64_t, const float*)>& use) {
  const int64_t width = largest_.size(1);
  for (int64_t row = 0; row < largest_.size(0); ++row) {
    float* const values = largest_.data_ptr<float>() + row * width;
    if (pending_outputs_.defined()) {
      scale_in_place(values, pending_outputs_.data_ptr<float>()[row], width);
    }
    if (pending_inputs_.defined())
      scale_each_in_place(values, pending_inputs_.data_ptr<float>(), width);
    use(row, values);
  }
  pending_outputs_ = pending_inputs_ = at::Tensor();
}

void ScaledLayer::settle() {
  if (pending_outputs_.defined() || pending_inputs_.defined())
    read_rows([](int64_t, const float*) {});
}

at::Tensor ScaledLayer::column_factors() const {
  if (one_to_one_) return at::ones({weight_.size(2)});
  return input_factors_.unsqueeze(1).expand({-1, weight_.size(2)}).contiguous().flatten();
}

/// R is |b| f / (|w| f g) with the factors f of outputs and g of inputs, so f only moves what
/// counts as zero.
at::Tensor ScaledLayer::shrunk_bias(const at::Tensor& weight_range) {
  const at::Tensor bias = channel_maker(node_->op).bias->value.to(at::kFloat).contiguous();
  if (!ratios_) {
    const at::Tensor own = one_to_one_ ? bias.div(input_factors_) : bias;
    const at::Tensor smallest =
        (one_to_one_ ? output_factors_.mul(input_factors_) : output_factors_).reciprocal();
    ratios_ = weight_ratios(weight_.flatten(1), column_factors(), own, smallest.mul(kSmallest));
  }
  const at::Tensor scaled = bias.mul(output_factors_).abs();
  const double largest_weight = std::max(weight_range.max().item<double>(), kSmallest);
  return scaled.div(bias_shrinkage(*ratios_, scaled.max().item<double>(), largest_weight));
}

void ScaledLayer::scale_outputs(const at::Tensor& factors) {
  settle();
  pending_outputs_ = factors.clone();
  output_factors_.mul_(factors);
}

void ScaledLayer::scale_inputs(int64_t begin, const at::Tensor& factors) {
  settle();
  if (one_to_one_) {
    scale_each_in_place(largest_.data_ptr<float>() + begin, factors.data_ptr<float>(),
                        factors.numel());
  } else {
    pending_inputs_ = at::ones({largest_.size(1)});
    pending_inputs_.narrow(0, begin, factors.numel()).copy_(factors);
  }
  input_factors_.narrow(0, begin, factors.numel()).mul_(factors);
  ratios_.reset();
}

void ScaledLayer::write() {
  const ChannelMaker maker = channel_maker(node_->op);
  const at::Tensor rows = one_to_one_ ? output_factors_.mul(input_factors_) : output_factors_;
  const at::Tensor columns = column_factors();
  const at::Tensor scaled = at::empty_like(weight_);
  const int64_t width = columns.numel();
  const int64_t grain = std::max<int64_t>(1, kParallelGrain / width);
  at::parallel_for(0, rows.numel(), grain, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      scale_row(weight_.data_ptr<float>() + row * width, rows.data_ptr<float>()[row],
                columns.data_ptr<float>(), scaled.data_ptr<float>() + row * width, width);
    }
  });
  const at::Tensor& original = maker.weight->value;
  const std::vector<int64_t> sizes = original.movedim(maker.weight_axis, 0).sizes().vec();
  maker.weight->value = scaled.view(sizes).movedim(0, maker.weight_axis).contiguous();
  if (maker.bias != nullptr) maker.bias->value = maker.bias->value.mul(output_factors_);
}

ScaledClamp::ScaledClamp(const RegionClamp& clamp)
    : node_(clamp.node), bounds_(*ir::clamp_bounds(clamp.node->op)) {
  std::vector<int64_t> sizes(static_cast<size_t>(clamp.axis_from_end) + 1, 1);
  sizes.front() = clamp.extent;
  for (at::Tensor* bound : {&bounds_.lowest, &bounds_.highest}) {
    if (bound->defined()) *bound = bound->expand(sizes).clone(at::MemoryFormat::Contiguous);
  }
}

void ScaledClamp::scale(int64_t begin, const at::Tensor& factors) {
  for (const at::Tensor& bound : {bounds_.lowest, bounds_.highest}) {
    if (bound.defined()) bound.view(-1).narrow(0, begin, factors.numel()).mul_(factors);
  }
}

void ScaledClamp::write() { node_->op = ir::clamp_to(bounds_, node_->name); }

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
    for (const RegionClamp& clamp : region.clamps) clamps_.try_emplace(clamp.node, clamp);
  }
  for (ir::Node* node : nodes) {
    by_node_[node] = &layers_.emplace_back(*node, roles[node]);
  }
}

void ScaledLayers::write() {
  for (ScaledLayer& layer : layers_) layer.write();
  for (auto& clamp : clamps_) clamp.second.write();
}

}  // namespace ptq::passes
