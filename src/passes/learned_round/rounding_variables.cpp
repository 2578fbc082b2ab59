#include "passes/learned_round/rounding_variables.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/floor.h>
#include <ATen/ops/zeros_like.h>

#include "base/threads.h"
#include "passes/learned_round/rounding_functions.h"
#include "ptq/base/error.h"
#include "quant/fake_quantize.h"
#include "quant/partition.h"

namespace ptq::passes {
namespace {

/// The number of each element's scale, in the shape of the weight.
at::Tensor by_element(const at::Tensor& weight, const quant::Quantizer& quantizer,
                      const at::Tensor& by_scale) {
  const quant::Partition partition(weight, quantizer);
  const std::vector<float> numbers = partition.by_row(by_scale);
  at::Tensor spread = at::empty_like(partition.values());
  for (int64_t i = 0; i < partition.rows(); ++i) {
    const quant::Partition::Row row = partition.row(i);
    float* first = spread.data_ptr<float>() + row.begin;
    std::fill(first, first + row.size, numbers[static_cast<size_t>(i)]);
  }
  return partition.restore(spread).contiguous();
}

at::Tensor start(const at::Tensor& place, const at::Tensor& floor, RoundingFunction function) {
  at::Tensor v = at::zeros_like(place);
  if (function == RoundingFunction::kLinear) return v;
  const float* in = place.data_ptr<float>();
  const float* down = floor.data_ptr<float>();
  float* out = v.data_ptr<float>();
  const bool is_hard = function == RoundingFunction::kHardSigmoid;
  for (int64_t i = 0; i < v.numel(); ++i) {
    const float fraction = in[i] - down[i];
    out[i] = is_hard ? hard_sigmoid_start(fraction) : sigmoid_start(fraction);
  }
  return v;
}

}  // namespace

RoundingVariables::RoundingVariables(const at::Tensor& weight, const quant::QuantizerTable& table,
                                     ir::QuantizerId quantizer, RoundingFunction function)
    : function_(function) {
  const quant::Quantizer& q = table.at(quantizer);
  const quant::IntegerFormat* integer = q.integer();
  if (integer == nullptr) {
    throw QuantizationError(q.layer +
                            ": rounding can be learned only for integers, not for minifloats");
  }
  code_min_ = static_cast<float>(integer->quant_min());
  code_max_ = static_cast<float>(integer->quant_max());
  const at::Tensor dense = weight.contiguous();
  scale_ = by_element(dense, q, table.scale_of(quantizer).value);
  zero_point_ = q.symmetry == quant::Symmetry::kSymmetric ? at::zeros_like(dense)
                                                          : by_element(dense, q, q.zero_point);
  const at::Tensor place = dense.div(scale_).add(zero_point_);
  base_ = function == RoundingFunction::kLinear ? place : at::floor(place);
  v_ = start(place, base_, function);
  nearest_ = quant::fake_quantize_weight(dense, table, quantizer).contiguous();
}

RoundingElements RoundingVariables::elements(int64_t begin, int64_t end) const {
  return {base_.data_ptr<float>() + begin,
          v_.data_ptr<float>() + begin,
          scale_.data_ptr<float>() + begin,
          zero_point_.data_ptr<float>() + begin,
          end - begin,
          code_min_,
          code_max_};
}

at::Tensor RoundingVariables::soft() const {
  at::Tensor weight = at::empty_like(v_);
  float* out = weight.data_ptr<float>();
  at::parallel_for(0, v_.numel(), kParallelGrain, [&](int64_t begin, int64_t end) {
    soft_weights(function_, elements(begin, end), out + begin);
  });
  return weight;
}

at::Tensor RoundingVariables::decided() const {
  at::Tensor weight = at::empty_like(v_);
  decided_weights(function_, elements(0, v_.numel()), weight.data_ptr<float>());
  return weight;
}

at::Tensor RoundingVariables::gradient(const at::Tensor& by_weight,
                                       const Regulariser& regulariser) const {
  at::Tensor by_v = at::empty_like(v_);
  const float* in = by_weight.data_ptr<float>();
  float* out = by_v.data_ptr<float>();
  at::parallel_for(0, v_.numel(), kParallelGrain, [&](int64_t begin, int64_t end) {
    rounding_gradient(function_, elements(begin, end), in + begin, regulariser, out + begin);
  });
  return by_v;
}

}  // namespace ptq::passes
