#include "passes/learned_round/dropping.h"

#include <ATen/Parallel.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty_like.h>

#include <limits>

#include "base/threads.h"
#include "base/vector_loop.h"
#include "quant/fake_quantize.h"

namespace ptq::passes {
namespace {

/// Mixes all bits of `x` (the finalizer of MurmurHash3).
inline uint32_t mix_bits(uint32_t x) {
  x ^= x >> 16;
  x *= 0x85EBCA6BU;
  x ^= x >> 13;
  x *= 0xC2B2AE35U;
  return x ^ (x >> 16);
}

/// Draws of 31 bits are below it with the probability wanted; signed, because vector instructions
/// compare signed numbers.
int32_t threshold(double probability) {
  return static_cast<int32_t>(probability * std::numeric_limits<int32_t>::max());
}

inline bool is_dropped(uint32_t position, uint32_t seed, int32_t threshold) {
  return static_cast<int32_t>(mix_bits(position * 0x9E3779B9U + seed) >> 1) < threshold;
}

struct Rule {
  uint32_t seed;
  int32_t threshold;
  /// Values outside clip.
  float low;
  float high;
};

constexpr VectorLoop mix = [](const float* x, const float* y, float* out, int64_t begin,
                              int64_t end, Rule rule) {
  for (int64_t i = begin; i < end; ++i) {
    out[i] = is_dropped(static_cast<uint32_t>(i), rule.seed, rule.threshold) ? x[i] : y[i];
  }
};

/// `out` holds the quantized values at first.
constexpr VectorLoop drop = [](const float* x, float* out, uint8_t* passes, int64_t begin,
                               int64_t end, Rule rule) {
  for (int64_t i = begin; i < end; ++i) {
    const bool dropped = is_dropped(static_cast<uint32_t>(i), rule.seed, rule.threshold);
    out[i] = dropped ? x[i] : out[i];
    passes[i] = static_cast<uint8_t>(dropped | ((x[i] >= rule.low) & (x[i] <= rule.high)));
  }
};

constexpr VectorLoop pass = [](const float* gradient, const uint8_t* passes, float* out,
                               int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i) out[i] = passes[i] != 0 ? gradient[i] : 0;
};

/// What rounds to codes without clipping. Scales that are found in each image or group anew hold
/// all of it.
Rule rule_of(const quant::QuantizerTable& table, ir::QuantizerId id, const Dropping& dropping) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  Rule rule{dropping.seed, threshold(dropping.probability), -kInfinity, kInfinity};
  if (!table.at(id).is_static_per_tensor()) return rule;
  const quant::ElementParams params = quant::element_params(table, id);
  if (const auto* integer = std::get_if<quant::QParams>(&params)) {
    rule.low = (integer->quant_min - integer->zero_point - 0.5F) * integer->scale;
    rule.high = (integer->quant_max - integer->zero_point + 0.5F) * integer->scale;
  } else {
    const auto& minifloat = std::get<quant::MinifloatParams>(params);
    rule.high = minifloat.largest * minifloat.scale;
    rule.low = -rule.high;
  }
  return rule;
}

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

}  // namespace

Dropping Dropping::of(uint32_t number) const {
  return {probability, mix_bits(seed + 0x9E3779B9U * (number + 1))};
}

at::Tensor mixed(const at::Tensor& x, const at::Tensor& y, const Dropping& dropping) {
  at::Tensor out = at::empty_like(x);
  const Rule rule{dropping.seed, threshold(dropping.probability), 0, 0};
  at::parallel_for(0, x.numel(), kParallelGrain, [&](int64_t begin, int64_t end) {
    mix(x.data_ptr<float>(), y.data_ptr<float>(), out.data_ptr<float>(), begin, end, rule);
  });
  return out;
}

Quantized quantize_with_dropping(const at::Tensor& x, const quant::QuantizerTable& table,
                                 ir::QuantizerId id, const Dropping& dropping) {
  const at::Tensor in = x.contiguous();
  Quantized result{quantized(in, table, id), at::empty_like(in, at::kByte)};
  const Rule rule = rule_of(table, id, dropping);
  at::parallel_for(0, in.numel(), kParallelGrain, [&](int64_t begin, int64_t end) {
    drop(in.data_ptr<float>(), result.value.data_ptr<float>(), result.passes.data_ptr<uint8_t>(),
         begin, end, rule);
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
