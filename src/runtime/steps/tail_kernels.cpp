#include "base/vector_loop.h"
#include "ptq/base/error.h"
#include "quant/fake_quantize.h"
#include "runtime/steps/float_functions.h"
#include "runtime/steps/tail.h"

namespace ptq::runtime {
namespace {

inline float clamp(float x, float low, float high) {
  const float above = x < low ? low : x;
  return above > high ? high : above;
}

// NaN stays NaN: each comparison is false for it.
constexpr VectorLoop relu = [](float* x, int64_t count) {
  for (int64_t i = 0; i < count; ++i) x[i] = x[i] < 0 ? 0 : x[i];
};
constexpr VectorLoop relu6 = [](float* x, int64_t count) {
  for (int64_t i = 0; i < count; ++i) x[i] = clamp(x[i], 0, 6);
};
constexpr VectorLoop leaky_relu = [](float* x, int64_t count, float slope) {
  for (int64_t i = 0; i < count; ++i) x[i] = x[i] > 0 ? x[i] : x[i] * slope;
};
constexpr VectorLoop sigmoid = [](float* x, int64_t count) {
  for (int64_t i = 0; i < count; ++i) x[i] = logistic(x[i]);
};
constexpr VectorLoop silu = [](float* x, int64_t count) {
  for (int64_t i = 0; i < count; ++i) x[i] = x[i] * logistic(x[i]);
};
constexpr VectorLoop hardswish = [](float* x, int64_t count) {
  for (int64_t i = 0; i < count; ++i) x[i] = x[i] * clamp(x[i] + 3, 0, 6) / 6;
};
constexpr VectorLoop hardsigmoid = [](float* x, int64_t count) {
  for (int64_t i = 0; i < count; ++i) x[i] = clamp(x[i] + 3, 0, 6) / 6;
};
constexpr VectorLoop gelu = [](float* x, int64_t count) {
  constexpr float kSqrtHalf = 0.707106781F;
  for (int64_t i = 0; i < count; ++i) {
    x[i] = 0.5F * x[i] * (1.0F + error_function(x[i] * kSqrtHalf));
  }
};
constexpr VectorLoop gelu_tanh = [](float* x, int64_t count) {
  constexpr float kTwiceSqrtTwoOverPi = 1.59576912F;
  for (int64_t i = 0; i < count; ++i) {
    const float cubic = x[i] + 0.044715F * x[i] * x[i] * x[i];
    x[i] = x[i] * logistic(kTwiceSqrtTwoOverPi * cubic);
  }
};

#define PTQ_ARITHMETIC(name, expression)                                                    \
  constexpr VectorLoop name = [](float* x, const float* y, int64_t stride, int64_t count) { \
    if (stride == 0) {                                                                      \
      const float b = *y;                                                                   \
      for (int64_t i = 0; i < count; ++i) {                                                 \
        const float a = x[i];                                                               \
        x[i] = expression;                                                                  \
      }                                                                                     \
    } else {                                                                                \
      for (int64_t i = 0; i < count; ++i) {                                                 \
        const float a = x[i], b = y[i];                                                     \
        x[i] = expression;                                                                  \
      }                                                                                     \
    }                                                                                       \
  };
PTQ_ARITHMETIC(add, a + b)
PTQ_ARITHMETIC(sub, a - b)
PTQ_ARITHMETIC(sub_from, b - a)
PTQ_ARITHMETIC(mul, a* b)
PTQ_ARITHMETIC(div, a / b)
PTQ_ARITHMETIC(div_from, b / a)
PTQ_ARITHMETIC(lesser, b < a ? b : a)
#undef PTQ_ARITHMETIC

void apply_unary(const TailOp& op, float* x, int64_t count) {
  switch (op.kind) {
    case TailKind::kRelu:
      return relu(x, count);
    case TailKind::kRelu6:
      return relu6(x, count);
    case TailKind::kSigmoid:
      return sigmoid(x, count);
    case TailKind::kSilu:
      return silu(x, count);
    case TailKind::kHardswish:
      return hardswish(x, count);
    case TailKind::kHardsigmoid:
      return hardsigmoid(x, count);
    case TailKind::kGelu:
      return gelu(x, count);
    case TailKind::kGeluTanh:
      return gelu_tanh(x, count);
    case TailKind::kLeakyRelu:
      return leaky_relu(x, count, op.slope);
    case TailKind::kFakeQuantize:
      return quant::fake_quantize(x, x, count, op.params);
    default:
      throw InternalError("arithmetic without its second operand");
  }
}

}  // namespace

void apply_tail_op(const TailOp& op, float* data, const float* operand, int64_t operand_stride,
                   int64_t count) {
  switch (op.kind) {
    case TailKind::kAdd:
      return add(data, operand, operand_stride, count);
    case TailKind::kSub:
      return sub(data, operand, operand_stride, count);
    case TailKind::kSubFrom:
      return sub_from(data, operand, operand_stride, count);
    case TailKind::kMul:
      return mul(data, operand, operand_stride, count);
    case TailKind::kDiv:
      return div(data, operand, operand_stride, count);
    case TailKind::kDivFrom:
      return div_from(data, operand, operand_stride, count);
    case TailKind::kMin:
      return lesser(data, operand, operand_stride, count);
    default:
      return apply_unary(op, data, count);
  }
}

}  // namespace ptq::runtime
