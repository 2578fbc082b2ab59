#include "passes/equalization_factors.h"

#include <ATen/ops/abs.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/amin.h>
#include <ATen/ops/full.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/reciprocal.h>
#include <ATen/ops/where.h>

#include <cmath>

#include "passes/bias_shrinkage.h"
#include "passes/channel_axis.h"

namespace ptq::passes {
namespace {

constexpr double kZero = 1e-9;

/// Largest |w| of every channel.
at::Tensor absmax(const at::Tensor& weight, int64_t axis) {
  std::vector<int64_t> others;
  for (int64_t dim = 0; dim < weight.dim(); ++dim) {
    if (dim != axis) others.push_back(dim);
  }
  if (others.empty()) return weight.abs();
  return at::maximum(weight.amax(others), weight.amin(others).neg());
}

at::Tensor range_of(const EqualizationSource& source, MergeBias merge_bias) {
  const ChannelMaker maker = channel_maker(source.node->op);
  const at::Tensor& weight = maker.weight->value;
  const at::Tensor range = absmax(weight, maker.weight_axis);
  if (merge_bias == MergeBias::kNo || maker.bias == nullptr) return range;
  const at::Tensor& bias = maker.bias->value;
  const double shrinkage =
      bias_shrinkage(weight, maker.weight_axis, bias, range.max().item<float>());
  return at::maximum(range, bias.abs().div(shrinkage));
}

void raise(const at::Tensor& range, int64_t offset, const at::Tensor& to) {
  at::Tensor part = range.narrow(0, offset, to.numel());
  at::maximum_out(part, part, to);
}

at::Tensor along(const at::Tensor& factors, const at::Tensor& weight, int64_t axis) {
  std::vector<int64_t> shape(static_cast<size_t>(weight.dim()), 1);
  shape[static_cast<size_t>(axis)] = factors.numel();
  return factors.view(shape);
}

at::Tensor is_zero(const at::Tensor& source_range, const at::Tensor& sink_range) {
  return source_range.le(kZero).logical_or(sink_range.le(kZero));
}

at::Tensor read_channels(const EqualizationSink& sink, int64_t axis) {
  const at::Tensor& weight = ir::weighted(sink.node->op)->weight.value;
  return weight.narrow(axis, sink.begin, sink.end - sink.begin);
}

}  // namespace

at::Tensor source_range(const EqualizationRegion& region, MergeBias merge_bias) {
  const at::Tensor range = at::full({region.channels}, -1.0F);
  for (const EqualizationSource& source : region.sources) {
    raise(range, source.offset, range_of(source, merge_bias));
  }
  return range;
}

at::Tensor sink_range(const EqualizationRegion& region) {
  const at::Tensor range = at::full({region.channels}, -1.0F);
  for (const EqualizationSink& sink : region.sinks) {
    const int64_t axis = input_channel_axis(sink.node->op).value();
    raise(range, sink.offset, absmax(read_channels(sink, axis), axis));
  }
  return range;
}

at::Tensor equalization_factors(const at::Tensor& source_range, const at::Tensor& sink_range,
                                double alpha) {
  const at::Tensor zero = is_zero(source_range, sink_range);
  const at::Tensor one = at::ones_like(source_range);
  return at::where(zero, one, sink_range)
      .pow(1 - alpha)
      .div(at::where(zero, one, source_range).pow(alpha));
}

double range_ratio(const at::Tensor& source_range, const at::Tensor& sink_range) {
  const at::Tensor range =
      source_range.masked_select(is_zero(source_range, sink_range).logical_not());
  return range.numel() == 0 ? 1 : range.max().item<double>() / range.min().item<double>();
}

void scale_in_place(const EqualizationRegion& region, const at::Tensor& factors) {
  for (const EqualizationSource& source : region.sources) {
    const ChannelMaker maker = channel_maker(source.node->op);
    const at::Tensor own = factors.narrow(0, source.offset, source.channels);
    maker.weight->value.mul_(along(own, maker.weight->value, maker.weight_axis));
    if (maker.bias != nullptr) maker.bias->value.mul_(own);
  }
  const at::Tensor inverse = factors.reciprocal();
  for (const EqualizationSink& sink : region.sinks) {
    const int64_t axis = input_channel_axis(sink.node->op).value();
    at::Tensor weight = read_channels(sink, axis);
    weight.mul_(along(inverse.narrow(0, sink.offset, sink.end - sink.begin), weight, axis));
  }
}

}  // namespace ptq::passes
