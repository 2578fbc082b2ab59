#include <ATen/ops/full.h>

#include <optional>

#include "runtime/onednn/kernel.h"

// What oneDNN 2.6 gets wrong, and how these chains avoid it (tests/runtime/onednn_test.cpp): two
// post-operations of the same eltwise algorithm with different parameters in one chain both use
// one set of them in some implementations. So clip appears at most once; later clips are a minimum
// and a maximum. A post-operation that reads a full tensor moves convolutions to slower kernels,
// which is why those stay out of the primitive.
namespace ptq::runtime::onednn {
namespace {

using dnnl::algorithm;

class Chain {
 public:
  Chain(int rank, int channel_dim) : rank_(rank), channel_dim_(channel_dim) {}

  bool append(const TailOp& op) {
    if (op.kind == TailKind::kFakeQuantize) {
      const auto* integers = std::get_if<quant::QParams>(&op.params);
      return integers != nullptr && append_fake_quantize(*integers);
    }
    if (const auto arithmetic = arithmetic_of(op.kind)) {
      return op.input == kNoOperand && append_arithmetic(*arithmetic, op.constant);
    }
    return append_activation(op);
  }

  PostOps finish(size_t carried) {
    PostOps result;
    result.attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    result.attributes.set_post_ops(ops_);
    result.arguments = std::move(arguments_);
    result.carried = carried;
    return result;
  }

 private:
  static std::optional<algorithm> arithmetic_of(TailKind kind) {
    switch (kind) {
      case TailKind::kAdd:
        return algorithm::binary_add;
      case TailKind::kSub:
        return algorithm::binary_sub;
      case TailKind::kMul:
        return algorithm::binary_mul;
      case TailKind::kDiv:
        return algorithm::binary_div;
      case TailKind::kMin:
        return algorithm::binary_min;
      default:
        return std::nullopt;
    }
  }

  bool append_activation(const TailOp& op) {
    switch (op.kind) {
      case TailKind::kRelu:
        return append_eltwise(algorithm::eltwise_relu, 0);
      case TailKind::kRelu6:
        append_scalar(algorithm::binary_max, 0);
        return append_scalar(algorithm::binary_min, 6);
      case TailKind::kSigmoid:
        return append_eltwise(algorithm::eltwise_logistic, 0);
      case TailKind::kSilu:
        return append_eltwise(algorithm::eltwise_swish, 1);
      case TailKind::kGelu:
        return append_eltwise(algorithm::eltwise_gelu_erf, 0);
      case TailKind::kGeluTanh:
        return append_eltwise(algorithm::eltwise_gelu_tanh, 0);
      default:
        return false;
    }
  }

  bool append_eltwise(algorithm kind, float alpha) {
    append_eltwise(1, kind, alpha, 0);
    return true;
  }

  /// (clamp(round(x / s + z), low, high) - z) * s, operation by operation as in quant/qparams.h.
  bool append_fake_quantize(const quant::QParams& q) {
    append_scalar(algorithm::binary_div, q.scale);
    if (q.zero_point != 0) append_scalar(algorithm::binary_add, q.zero_point);
    append_eltwise(1, algorithm::eltwise_round, 0, 0);
    if (!clip_used_ && q.zero_point == 0) {
      clip_used_ = true;
      append_eltwise(q.scale, algorithm::eltwise_clip, q.quant_min, q.quant_max);
      return true;
    }
    append_scalar(algorithm::binary_min, q.quant_max);
    append_scalar(algorithm::binary_max, q.quant_min);
    if (q.zero_point != 0) append_scalar(algorithm::binary_sub, q.zero_point);
    return append_scalar(algorithm::binary_mul, q.scale);
  }

  /// The result of `kind` times `scale`, a factor that oneDNN 3 has no room for in the operation.
  void append_eltwise(float scale, algorithm kind, float alpha, float beta) {
#if DNNL_VERSION_MAJOR >= 3
    ops_.append_eltwise(kind, alpha, beta);
    if (scale != 1) append_scalar(algorithm::binary_mul, scale);
#else
    ops_.append_eltwise(scale, kind, alpha, beta);
#endif
  }

  bool append_scalar(algorithm kind, float value) {
    return append_arithmetic(kind, at::full({}, value));
  }

  /// `operand` holds one value, or one a channel in broadcastable shape.
  bool append_arithmetic(algorithm kind, const at::Tensor& operand) {
    dnnl::memory::dims sizes(static_cast<size_t>(rank_), 1);
    if (operand.numel() != 1) {
      const int64_t from_end = rank_ - channel_dim_;
      if (operand.dim() < from_end || operand.size(-from_end) != operand.numel()) return false;
      sizes[static_cast<size_t>(channel_dim_)] = operand.numel();
    }
    const dnnl::memory::desc description = describe(row_major(sizes));
    ops_.append_binary(kind, description);
    const int name = DNNL_ARG_ATTR_MULTIPLE_POST_OP(ops_.len() - 1) | DNNL_ARG_SRC_1;
    arguments_[name] = pack(operand.contiguous(), description, description);
    return true;
  }

  int rank_, channel_dim_;
  dnnl::post_ops ops_;
  Arguments arguments_;
  bool clip_used_ = false;
};

/// oneDNN takes 32 post-operations; a fake quantization takes up to seven.
constexpr size_t kMostTailOps = 4;

}  // namespace

PostOps post_ops(const Tail& tail, int rank, int channel_dim) {
  Chain chain(rank, channel_dim);
  size_t carried = 0;
  while (carried < std::min(tail.size(), kMostTailOps) && chain.append(tail[carried])) ++carried;
  return chain.finish(carried);
}

}  // namespace ptq::runtime::onednn
