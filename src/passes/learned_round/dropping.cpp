#include "passes/learned_round/dropping.h"

#include <ATen/Parallel.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty_like.h>

#include <limits>
#include <variant>

#include "base/threads.h"
#include "base/vector_loop.h"
#include "passes/learned_round/drop_rule.h"
#include "quant/fake_quantize.h"

namespace ptq::passes {
namespace {

constexpr VectorLoop mix = [](const float* x, const float* y, float* out, int64_t begin,
                              int64_t end, DropRule rule) {
  for (int64_t i = begin; i < end; ++i) {
    out[i] = is_dropped(static_cast<uint32_t>(i), rule) ? x[i] : y[i];
  }
};

/// `out` holds the quantized values at first.
constexpr VectorLoop drop = [](const float* x, float* out, uint8_t* passes, int64_t begin,
                               int64_t end, uint32_t first, DropRule rule) {
  for (int64_t i = begin; i < end; ++i) {
    const bool dropped = is_dropped(first + static_cast<uint32_t>(i), rule);
    out[i] = dropped ? x[i] : out[i];
    passes[i] = static_cast<uint8_t>(dropped | ((x[i] >= rule.low) & (x[i] <= rule.high)));
  }
};

constexpr VectorLoop pass = [](const float* gradient, const uint8_t* passes, float* out,
                               int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i) out[i] = passes[i] != 0 ? gradient[i] : 0;
};

at::Tensor quantized(const at::Tensor& x, const quant::QuantizerTable& table, ir::QuantizerId id) {
  const quant::Quantizer& quantizer = table.at(id);
  const bool is_by_image = quantizer.timing == quant::Timing::kDynamic &&
                           quantizer.granularity == quant::Granularity::kPerTensor;
  if (!is_by_image) return quant::fake_quantize_activation(x, table, id);
  std::vector<at::Tensor> images;
  for (int64_t i = 0; i < x.size(0); ++i) {
    images.push_back(quant::fake_quantize_activation(x.narrow(0, i, 1), table, id));
  }
  return at::cat(images);
}

void set_limits(DropRule& rule, const quant::QParams& params) {
  rule.low = (params.quant_min - params.zero_point - 0.5F) * params.scale;
  rule.high = (params.quant_max - params.zero_point + 0.5F) * params.scale;
}

void set_limits(DropRule& rule, const quant::MinifloatParams& params) {
  rule.high = params.largest * params.scale;
  rule.low = -rule.high;
}

void set_limits(DropRule& rule, const quant::TruncatingParams& params) {
  const float scale = params.fine_scale * params.step;
  set_limits(rule, quant::QParams{scale, 0, params.quant_min, params.quant_max});
}

}  // namespace

DropRule rule_of(const quant::QuantizerTable& table, ir::QuantizerId id, const Dropping& dropping) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  DropRule rule{dropping.seed, drop_threshold(dropping.probability), -kInfinity, kInfinity};
  if (!table.at(id).is_static_per_tensor()) return rule;
  std::visit([&](const auto& params) { set_limits(rule, params); },
             quant::element_params(table, id));
  return rule;
}

Dropping Dropping::of(uint32_t number) const {
  return {probability, mix_bits(seed + 0x9E3779B9U * (number + 1)), first};
}

at::Tensor mixed(const at::Tensor& x, const at::Tensor& y, const Dropping& dropping) {
  at::Tensor out = at::empty_like(x);
  const DropRule rule{dropping.seed, drop_threshold(dropping.probability), 0, 0};
  at::parallel_for(0, x.numel(), kParallelGrain, [&](int64_t begin, int64_t end) {
    mix(x.data_ptr<float>(), y.data_ptr<float>(), out.data_ptr<float>(), begin, end, rule);
  });
  return out;
}

Quantized quantize_with_dropping(const at::Tensor& x, const quant::QuantizerTable& table,
                                 ir::QuantizerId id, const Dropping& dropping) {
  const at::Tensor in = x.contiguous();
  Quantized result{quantized(in, table, id), at::empty_like(in, at::kByte)};
  const DropRule rule = rule_of(table, id, dropping);
  at::parallel_for(0, in.numel(), kParallelGrain, [&](int64_t begin, int64_t end) {
    drop(in.data_ptr<float>(), result.value.data_ptr<float>(), result.passes.data_ptr<uint8_t>(),
         begin, end, dropping.first, rule);
  });
  return result;
}

at::Tensor passed(const at::Tensor& gradient, const at::Tensor& passes) {
  const at::Tensor in = gradient.contiguous();
  at::Tensor out = at::empty_like(in);
  at::parallel_for(0, in.numel(), kParallelGrain, [&](int64_t begin, int64_t end) {
    pass(in.data_ptr<float>(), passes.data_ptr<uint8_t>(), out.data_ptr<float>(), begin, end);
  });
  return out;
}

}  // namespace ptq::passes
