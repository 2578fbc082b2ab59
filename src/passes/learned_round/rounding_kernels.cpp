#include "passes/learned_round/rounding_kernels.h"

#include "base/vector_loop.h"
#include "passes/learned_round/rounding_functions.h"

namespace ptq::passes {
namespace {

inline float clamped(float code, float low, float high) {
  const float below = code > high ? high : code;
  return below < low ? low : below;
}

template <class Code>
inline void weights(const RoundingElements& elements, float* weight, Code code) {
  const RoundingElements e = elements;
  for (int64_t i = 0; i < e.count; ++i) {
    const float inside = clamped(code(e.base[i], e.v[i]), e.code_min, e.code_max);
    weight[i] = (inside - e.zero_point[i]) * e.scale[i];
  }
}

/// `round` gives h(v); the code before clipping is base + h.
template <class Round>
inline void gradient(const RoundingElements& elements, const float* by_weight,
                     const Regulariser& regulariser, float* by_v, Round round) {
  const RoundingElements e = elements;
  const Regulariser r = regulariser;
  for (int64_t i = 0; i < e.count; ++i) {
    const Sloped h = round(e.v[i]);
    const float code = e.base[i] + h.value;
    const float by_code = code < e.code_min || code > e.code_max ? 0 : by_weight[i] * e.scale[i];
    by_v[i] = (by_code + r.weight * indecision(h.value, r.beta).slope) * h.slope;
  }
}

constexpr VectorLoop soft_linear = [](const RoundingElements& e, float* weight) {
  weights(e, weight,
          [](float base, float v) { return std::nearbyint(base + linear_round(v).value); });
};
constexpr VectorLoop soft_sigmoid = [](const RoundingElements& e, float* weight) {
  weights(e, weight, [](float base, float v) { return base + sigmoid_round(v).value; });
};
constexpr VectorLoop soft_hard_sigmoid = [](const RoundingElements& e, float* weight) {
  weights(e, weight, [](float base, float v) { return base + hard_sigmoid_round(v).value; });
};
/// Both sigmoids are above 1/2 where v is above 0.
constexpr VectorLoop decided_sigmoid = [](const RoundingElements& e, float* weight) {
  weights(e, weight, [](float base, float v) { return v > 0 ? base + 1 : base; });
};

constexpr VectorLoop gradient_linear = [](const RoundingElements& elements, const float* by_weight,
                                          float* by_v) {
  const RoundingElements e = elements;
  for (int64_t i = 0; i < e.count; ++i) {
    const float code = std::nearbyint(e.base[i] + linear_round(e.v[i]).value);
    by_v[i] = code < e.code_min || code > e.code_max ? 0 : by_weight[i] * e.scale[i];
  }
};
constexpr VectorLoop gradient_sigmoid = [](const RoundingElements& e, const float* by_weight,
                                           const Regulariser& r, float* by_v) {
  gradient(e, by_weight, r, by_v, [](float v) { return sigmoid_round(v); });
};
constexpr VectorLoop gradient_hard_sigmoid = [](const RoundingElements& e, const float* by_weight,
                                                const Regulariser& r, float* by_v) {
  gradient(e, by_weight, r, by_v, [](float v) { return hard_sigmoid_round(v); });
};

}  // namespace

void soft_weights(RoundingFunction function, const RoundingElements& elements, float* weight) {
  switch (function) {
    case RoundingFunction::kLinear:
      return soft_linear(elements, weight);
    case RoundingFunction::kSigmoid:
      return soft_sigmoid(elements, weight);
    case RoundingFunction::kHardSigmoid:
      return soft_hard_sigmoid(elements, weight);
  }
}

void decided_weights(RoundingFunction function, const RoundingElements& elements, float* weight) {
  if (function == RoundingFunction::kLinear) return soft_linear(elements, weight);
  decided_sigmoid(elements, weight);
}

void rounding_gradient(RoundingFunction function, const RoundingElements& elements,
                       const float* by_weight, const Regulariser& regulariser, float* by_v) {
  switch (function) {
    case RoundingFunction::kLinear:
      return gradient_linear(elements, by_weight, by_v);
    case RoundingFunction::kSigmoid:
      return gradient_sigmoid(elements, by_weight, regulariser, by_v);
    case RoundingFunction::kHardSigmoid:
      return gradient_hard_sigmoid(elements, by_weight, regulariser, by_v);
  }
}

}  // namespace ptq::passes
