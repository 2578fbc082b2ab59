#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <optional>
#include <vector>

#include "quant/fake_quantize.h"
#include "runtime/layout.h"

/// The elementwise operations that follow a computation and run in the same pass over memory.
namespace ptq::runtime {

enum class TailKind {
  kRelu,
  kRelu6,
  kSigmoid,
  kSilu,
  kHardswish,
  kHardsigmoid,
  kGelu,
  kGeluTanh,
  kLeakyRelu,
  kFakeQuantize,
  kQuantize,  // to codes; the last of a tail
  kAdd,
  kSub,
  kSubFrom,  // operand - x
  kMul,
  kDiv,
  kDivFrom,  // operand / x
  kMin,
};

/// Which of a step's inputs a tail operation reads, where it reads one.
inline constexpr int kNoOperand = -1;

struct TailOp {
  TailKind kind = TailKind::kRelu;
  /// Slope of kLeakyRelu below zero.
  float slope = 0;
  /// Of kFakeQuantize and kQuantize.
  quant::ElementParams params;
  /// Of kQuantize: the bytes it makes. Of arithmetic: what its operand is, where that is bytes.
  std::optional<quant::ByteFormat> codes;
  /// Second operand of arithmetic: an input of the step, or a constant; both broadcast.
  int input = kNoOperand;
  at::Tensor constant;
};

using Tail = std::vector<TailOp>;

/// A computation on memory that is fixed for the life of a lane.
using Bound = std::function<void()>;

/// The value that a tail starts from: floats, or bytes of `codes`.
struct TailInput {
  at::Tensor value;
  std::optional<quant::ByteFormat> codes = {};
};

/// out = tail(in), elementwise. `inputs` are those of the step; `in` and the operands broadcast to
/// `out`; `out` is dense and may share memory with `in` when their layouts are equal. It is bytes
/// if the tail ends in kQuantize.
Bound bind_tail(const Tail& tail, const TailInput& in, const std::vector<at::Tensor>& inputs,
                const at::Tensor& out);

/// data = op(data, operand) over `count` floats; the operand advances by `operand_stride` (0 or 1).
void apply_tail_op(const TailOp& op, float* data, const float* operand, int64_t operand_stride,
                   int64_t count);

}  // namespace ptq::runtime
