#include "runtime/steps/tail_from_node.h"

#include <ATen/ops/full.h>
#include <ATen/ops/rsqrt.h>

#include "ptq/base/error.h"
#include "quant/fake_quantize.h"

namespace ptq::runtime {
namespace {

TailOp simple(TailKind kind) {
  TailOp op;
  op.kind = kind;
  return op;
}

TailOp with_constant(TailKind kind, const at::Tensor& constant) {
  TailOp op = simple(kind);
  op.constant = constant;
  return op;
}

/// The least value that an operation clamps to from above.
std::optional<float> ceiling_of(const TailOp& op) {
  if (op.kind == TailKind::kRelu6) return 6.0F;
  if (op.kind != TailKind::kMin || !op.constant.defined()) return std::nullopt;
  return op.constant.min().item<float>();
}

struct ToTail {
  const quant::QuantizerTable& table;
  int64_t rank;
  size_t through;
  int operand;

  Tail operator()(const ir::Relu&) const { return {simple(TailKind::kRelu)}; }
  Tail operator()(const ir::Relu6& op) const {
    if (!op.ceiling) return {simple(TailKind::kRelu6)};
    return {simple(TailKind::kRelu), with_constant(TailKind::kMin, op.ceiling->value)};
  }
  Tail operator()(const ir::Sigmoid&) const { return {simple(TailKind::kSigmoid)}; }
  Tail operator()(const ir::Silu&) const { return {simple(TailKind::kSilu)}; }
  Tail operator()(const ir::Hardswish&) const { return {simple(TailKind::kHardswish)}; }
  Tail operator()(const ir::Hardsigmoid&) const { return {simple(TailKind::kHardsigmoid)}; }
  Tail operator()(const ir::Gelu& op) const {
    return {simple(op.tanh_approximation ? TailKind::kGeluTanh : TailKind::kGelu)};
  }
  Tail operator()(const ir::LeakyRelu& op) const {
    TailOp leaky = simple(TailKind::kLeakyRelu);
    leaky.slope = static_cast<float>(op.negative_slope);
    return {leaky};
  }
  Tail operator()(const ir::Add&) const { return arithmetic(TailKind::kAdd, TailKind::kAdd); }
  Tail operator()(const ir::Mul&) const { return arithmetic(TailKind::kMul, TailKind::kMul); }
  Tail operator()(const ir::Sub&) const { return arithmetic(TailKind::kSub, TailKind::kSubFrom); }
  Tail operator()(const ir::Div&) const { return arithmetic(TailKind::kDiv, TailKind::kDivFrom); }
  Tail operator()(const ir::AddScalar& op) const {
    return {with_constant(TailKind::kAdd, at::full({}, op.value, at::kFloat))};
  }
  Tail operator()(const ir::MulScalar& op) const {
    return {with_constant(TailKind::kMul, at::full({}, op.value, at::kFloat))};
  }
  Tail operator()(const ir::FakeQuantize& op) const {
    TailOp fake = simple(TailKind::kFakeQuantize);
    fake.params = quant::element_params(table, op.quantizer);
    return {fake};
  }
  Tail operator()(const ir::BatchNorm& op) const {
    const ChannelAffine affine = channel_affine(op);
    return {with_constant(TailKind::kMul, by_channel(affine.factor)),
            with_constant(TailKind::kAdd, by_channel(affine.summand))};
  }
  template <class Other>
  Tail operator()(const Other&) const {
    throw InternalError("not an elementwise operation");
  }

 private:
  Tail arithmetic(TailKind forward, TailKind reversed) const {
    TailOp op = simple(through == 0 ? forward : reversed);
    op.input = operand;
    return {op};
  }

  /// [1, C, 1, ...] of the value's rank.
  at::Tensor by_channel(const at::Tensor& vector) const {
    std::vector<int64_t> sizes(static_cast<size_t>(rank), 1);
    sizes.at(1) = vector.numel();
    return vector.reshape(sizes);
  }
};

}  // namespace

ChannelAffine channel_affine(const ir::BatchNorm& op) {
  at::Tensor factor = at::rsqrt(op.running_var.value.add(op.eps));
  if (op.weight) factor = factor.mul(op.weight->value);
  at::Tensor summand = op.running_mean.value.mul(factor).neg();
  if (op.bias) summand = summand.add(op.bias->value);
  return {factor, summand};
}

Tail tail_of(const ir::Node& node, const quant::QuantizerTable& table, int64_t rank, size_t through,
             int operand) {
  return std::visit(ToTail{table, rank, through, operand}, node.op);
}

std::ptrdiff_t tail_length(const ir::Node& node) {
  const auto* relu6 = node.as<ir::Relu6>();
  return node.is<ir::BatchNorm>() || (relu6 != nullptr && relu6->ceiling) ? 2 : 1;
}

void absorb_ceilings(Tail& tail, size_t first) {
  for (size_t i = tail.size(); i-- > first + 1;) {
    const auto* params = std::get_if<quant::QParams>(&tail[i].params);
    if (tail[i].kind != TailKind::kFakeQuantize || params == nullptr) continue;
    TailOp& before = tail[i - 1];
    const std::optional<float> ceiling = ceiling_of(before);
    if (!ceiling || quant::quantize(*ceiling, *params) < params->quant_max) continue;
    if (before.kind == TailKind::kRelu6) {
      before = simple(TailKind::kRelu);
    } else {
      tail.erase(tail.begin() + static_cast<std::ptrdiff_t>(i) - 1);
    }
  }
}

}  // namespace ptq::runtime
