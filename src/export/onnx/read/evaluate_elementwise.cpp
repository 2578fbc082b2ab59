#include <ATen/ops/clamp.h>
#include <ATen/ops/erf.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/neg.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/round.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/tanh.h>

#include "export/onnx/read/evaluation.h"

namespace ptq::exporting {
namespace {

/// A function of one tensor that keeps its type.
OnnxFunction unary(at::Tensor (*function)(const at::Tensor&)) {
  return [function](const OnnxCall& call) {
    return OnnxValue{function(call.tensor()), call.value(0).type};
  };
}

template <class Function>
OnnxFunction binary(Function function) {
  return [function](const OnnxCall& call) {
    return OnnxValue{function(call.tensor(0), call.tensor(1)), call.value(0).type};
  };
}

OnnxValue clip(const OnnxCall& call) {
  at::Tensor x = call.tensor();
  const at::Tensor lowest = call.tensor(1);
  const at::Tensor highest = call.tensor(2);
  if (lowest.defined()) x = x.clamp_min(lowest);
  if (highest.defined()) x = x.clamp_max(highest);
  return {x, call.value(0).type};
}

OnnxValue leaky_relu(const OnnxCall& call) {
  return {at::leaky_relu(call.tensor(), call.number("alpha", 0.01))};
}

OnnxValue softmax(const OnnxCall& call) {
  return {at::softmax(call.tensor(), call.integer("axis", -1))};
}

OnnxValue matrix_product(const OnnxCall& call) {
  return {at::matmul(call.tensor(0), call.tensor(1))};
}

}  // namespace

void add_elementwise_functions(OnnxFunctions& functions) {
  functions["Relu"] = unary(at::relu);
  functions["Sigmoid"] = unary(at::sigmoid);
  functions["Erf"] = unary(at::erf);
  functions["Neg"] = unary(at::neg);
  functions["Tanh"] = unary(at::tanh);
  functions["Round"] = unary(at::round);
  functions["Sqrt"] = unary(at::sqrt);
  functions["Add"] = binary([](const at::Tensor& a, const at::Tensor& b) { return a.add(b); });
  functions["Sub"] = binary([](const at::Tensor& a, const at::Tensor& b) { return a.sub(b); });
  functions["Mul"] = binary([](const at::Tensor& a, const at::Tensor& b) { return a.mul(b); });
  functions["Div"] = binary([](const at::Tensor& a, const at::Tensor& b) { return a.div(b); });
  functions["Min"] = binary([](const at::Tensor& a, const at::Tensor& b) { return a.minimum(b); });
  functions["Max"] = binary([](const at::Tensor& a, const at::Tensor& b) { return a.maximum(b); });
  functions["Clip"] = clip;
  functions["LeakyRelu"] = leaky_relu;
  functions["Softmax"] = softmax;
  functions["MatMul"] = matrix_product;
}

}  // namespace ptq::exporting
