#include <ATen/ops/full.h>
#include <ATen/ops/scalar_tensor.h>

#include <cmath>

#include "import/lowerings.h"

namespace ptq::import {
namespace {

template <class Op>
Lowered lower_activation(const Call& call, Recorder& recorder) {
  return lower_to(call, recorder, Op{}, call.tensor("self"));
}

/// From zero on: ReLU, ReLU6, or ReLU6 with another ceiling.
Lowered lower_range(const Call& call, Recorder& recorder, double lowest, double highest) {
  if (lowest != 0 || !(highest > 0)) return {};
  const at::Tensor input = call.tensor("self");
  if (std::isinf(highest)) return lower_to(call, recorder, ir::Relu{}, input);
  ir::Relu6 relu6;
  if (highest != 6) {
    relu6.ceiling = ir::Parameter{call.name + ".ceiling", at::full({1}, highest, at::kFloat)};
  }
  return lower_to(call, recorder, relu6, input);
}

Lowered lower_hardtanh(const Call& call, Recorder& recorder) {
  return lower_range(call, recorder, call.number("min_val"), call.number("max_val"));
}

/// A bound as a number; `absent` if it is None. Bounds may be tensors too, which are left alone.
double bound(const Call& call, const char* name, double absent) {
  if (!call.has(name)) return absent;
  return call.argument(name).isScalar() ? call.number(name) : std::nan("");
}

Lowered lower_clamp(const Call& call, Recorder& recorder) {
  return lower_range(call, recorder, bound(call, "min", -INFINITY), bound(call, "max", INFINITY));
}

Lowered lower_gelu(const Call& call, Recorder& recorder) {
  const bool tanh = call.has("approximate") && call.argument("approximate").toStringRef() == "tanh";
  return lower_to(call, recorder, ir::Gelu{tanh}, call.tensor("self"));
}

Lowered lower_leaky_relu(const Call& call, Recorder& recorder) {
  return lower_to(call, recorder, ir::LeakyRelu{call.number("negative_slope")},
                  call.tensor("self"));
}

Lowered lower_softmax(const Call& call, Recorder& recorder) {
  if (call.has("dtype")) return {};
  const int64_t dim = from_front(call.integer("dim"), call.result().dim());
  return lower_to(call, recorder, ir::Softmax{dim}, call.tensor("self"));
}

/// A number, or a tensor without dimensions that holds one: both compute the same.
std::optional<double> number_in(const c10::IValue& value, const Recorder& recorder) {
  if (value.isScalar()) return value.toScalar().toDouble();
  const at::Tensor& tensor = value.toTensor();
  if (tensor.dim() > 0 || recorder.follows(tensor)) return std::nullopt;
  return tensor.item().toDouble();
}

/// self and other of an arithmetic operator.
struct Operands {
  at::Tensor left;
  c10::IValue right;
  std::optional<double> number;  // `right`, where it is one
};

std::optional<Operands> operands(const Call& call, const Recorder& recorder, bool commutes) {
  if (call.has("rounding_mode")) return std::nullopt;
  if (call.has("alpha") && call.number("alpha") != 1) return std::nullopt;
  Operands found{call.tensor("self"), call.argument("other"), {}};
  if (commutes && found.right.isTensor() && number_in(found.left, recorder)) {
    found = {found.right.toTensor(), found.left, {}};
  }
  found.number = number_in(found.right, recorder);
  return found;
}

Lowered lower_two(const Call& call, Recorder& recorder, ir::Op op, const Operands& two) {
  return {
      append_for(call, recorder, std::move(op), {two.left, two.right.toTensor()}, call.result())};
}

Lowered lower_add(const Call& call, Recorder& recorder) {
  const auto two = operands(call, recorder, true);
  if (!two) return {};
  if (two->number) return lower_to(call, recorder, ir::AddScalar{*two->number}, two->left);
  return lower_two(call, recorder, ir::Add{}, *two);
}

Lowered lower_sub(const Call& call, Recorder& recorder) {
  const auto two = operands(call, recorder, false);
  if (!two) return {};
  if (two->number) return lower_to(call, recorder, ir::AddScalar{-*two->number}, two->left);
  return lower_two(call, recorder, ir::Sub{}, *two);
}

Lowered lower_mul(const Call& call, Recorder& recorder) {
  const auto two = operands(call, recorder, true);
  if (!two) return {};
  if (two->number) return lower_to(call, recorder, ir::MulScalar{*two->number}, two->left);
  return lower_two(call, recorder, ir::Mul{}, *two);
}

bool is_power_of_two(double value) {
  int exponent = 0;
  return std::isfinite(value) && std::abs(std::frexp(value, &exponent)) == 0.5;
}

/// Multiplying by the inverse is the same only where the inverse is exact.
Lowered lower_div(const Call& call, Recorder& recorder) {
  const auto two = operands(call, recorder, false);
  if (!two) return {};
  if (!two->number) return lower_two(call, recorder, ir::Div{}, *two);
  if (is_power_of_two(*two->number)) {
    return lower_to(call, recorder, ir::MulScalar{1 / *two->number}, two->left);
  }
  const at::Tensor divisor = at::scalar_tensor(*two->number, at::kFloat);
  return {append_for(call, recorder, ir::Div{}, {two->left, divisor}, call.result())};
}

}  // namespace

void add_elementwise_lowerings(LoweringTable& table) {
  table["relu"] = lower_activation<ir::Relu>;
  table["relu6"] = lower_activation<ir::Relu6>;
  table["sigmoid"] = lower_activation<ir::Sigmoid>;
  table["silu"] = lower_activation<ir::Silu>;
  table["hardswish"] = lower_activation<ir::Hardswish>;
  table["hardsigmoid"] = lower_activation<ir::Hardsigmoid>;
  table["hardtanh"] = lower_hardtanh;
  table["clamp"] = table["clamp_min"] = lower_clamp;
  table["gelu"] = lower_gelu;
  table["leaky_relu"] = lower_leaky_relu;
  table["softmax"] = lower_softmax;
  table["add"] = lower_add;
  table["sub"] = lower_sub;
  table["mul"] = lower_mul;
  table["div"] = lower_div;
}

}  // namespace ptq::import
