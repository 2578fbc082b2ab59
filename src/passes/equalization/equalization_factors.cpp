#include "passes/equalization/equalization_factors.h"

#include <ATen/ops/full.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/reciprocal.h>
#include <ATen/ops/where.h>

namespace ptq::passes {
namespace {

constexpr double kZero = 1e-9;

void raise(const at::Tensor& range, int64_t offset, const at::Tensor& to) {
  at::Tensor part = range.narrow(0, offset, to.numel());
  at::maximum_out(part, part, to);
}

at::Tensor is_zero(const at::Tensor& source_range, const at::Tensor& sink_range) {
  return source_range.le(kZero).logical_or(sink_range.le(kZero));
}

}  // namespace

at::Tensor source_range(const EqualizationRegion& region, ScaledLayers& layers,
                        MergeBias merge_bias) {
  const at::Tensor range = at::full({region.channels}, -1.0F);
  for (const EqualizationSource& source : region.sources) {
    raise(range, source.offset, layers.of(source.node).output_range(merge_bias));
  }
  return range;
}

at::Tensor sink_range(const EqualizationRegion& region, ScaledLayers& layers) {
  const at::Tensor range = at::full({region.channels}, -1.0F);
  for (const EqualizationSink& sink : region.sinks) {
    raise(range, sink.offset, layers.of(sink.node).input_range(sink.begin, sink.end));
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

void scale(const EqualizationRegion& region, ScaledLayers& layers, const at::Tensor& factors) {
  for (const EqualizationSource& source : region.sources) {
    layers.of(source.node).scale_outputs(factors.narrow(0, source.offset, source.channels));
  }
  for (const RegionClamp& clamp : region.clamps) {
    layers.clamp(clamp.node)
        .scale(clamp.begin, factors.narrow(0, clamp.offset, clamp.end - clamp.begin));
  }
  const at::Tensor inverse = factors.reciprocal();
  for (const EqualizationSink& sink : region.sinks) {
    const int64_t width = sink.end - sink.begin;
    layers.of(sink.node).scale_inputs(sink.begin, inverse.narrow(0, sink.offset, width));
  }
}

}  // namespace ptq::passes
