#include <cmath>

#include "export/onnx/write/site.h"

// Operations on single elements, and on whole values.
namespace ptq::exporting {
namespace {

constexpr double kPi = 3.14159265358979323846;

/// x + 3, between 0 and 6.
std::string hard_gate(OnnxSite& site) {
  const std::string shifted =
      site.step("Add", "plus_three", {site.input(), site.number("three", 3)});
  return site.step("Clip", "gate", {shifted, site.number("min", 0), site.number("max", 6)});
}

void finish_sixth(OnnxSite& site, const std::string& x) {
  site.finish("Div", {x, site.number("six", 6)});
}

/// x (1 + f) / 2, the end of both forms of GELU.
void finish_gelu(OnnxSite& site, const std::string& f) {
  const std::string sum = site.step("Add", "plus_one", {f, site.number("one", 1)});
  const std::string product = site.step("Mul", "product", {site.input(), sum});
  site.finish("Mul", {product, site.number("half", 0.5)});
}

/// tanh(sqrt(2 / pi) (x + 0.044715 x^3)).
std::string tanh_of_cubic(OnnxSite& site) {
  const std::string square = site.step("Mul", "square", {site.input(), site.input()});
  const std::string cube = site.step("Mul", "cube", {square, site.input()});
  const std::string term = site.step("Mul", "term", {cube, site.number("cubic", 0.044715)});
  const std::string sum = site.step("Add", "sum", {site.input(), term});
  const std::string scaled =
      site.step("Mul", "scaled", {sum, site.number("factor", std::sqrt(2 / kPi))});
  return site.step("Tanh", "tanh", {scaled});
}

}  // namespace

void translate(OnnxSite& site, const ir::Relu&) { site.finish("Relu", site.inputs()); }

void translate(OnnxSite& site, const ir::Relu6& op) {
  if (op.ceiling && op.ceiling->value.numel() > 1) {
    site.finish("Min", {site.step("Relu", "relu", site.inputs()),
                        site.model.add_floats(site.part("ceiling"), op.ceiling->value)});
    return;
  }
  const double ceiling = op.ceiling ? op.ceiling->value.item<double>() : 6;
  site.finish("Clip", {site.input(), site.number("min", 0), site.number("max", ceiling)});
}

void translate(OnnxSite& site, const ir::Sigmoid&) { site.finish("Sigmoid", site.inputs()); }

void translate(OnnxSite& site, const ir::Silu&) {
  site.finish("Mul", {site.input(), site.step("Sigmoid", "sigmoid", site.inputs())});
}

// As LibTorch computes them, operation by operation: HardSigmoid multiplies by a sixth, which
// rounds otherwise, and so does what is built on it.
void translate(OnnxSite& site, const ir::Hardswish&) {
  finish_sixth(site, site.step("Mul", "product", {site.input(), hard_gate(site)}));
}

void translate(OnnxSite& site, const ir::Hardsigmoid&) { finish_sixth(site, hard_gate(site)); }

void translate(OnnxSite& site, const ir::Gelu& op) {
  if (op.tanh_approximation) {
    finish_gelu(site, tanh_of_cubic(site));
    return;
  }
  const std::string scaled =
      site.step("Div", "scaled", {site.input(), site.number("root_of_two", std::sqrt(2.0))});
  finish_gelu(site, site.step("Erf", "erf", {scaled}));
}

void translate(OnnxSite& site, const ir::LeakyRelu& op) {
  site.finish("LeakyRelu", site.inputs(), {{"alpha", op.negative_slope}});
}

void translate(OnnxSite& site, const ir::Softmax& op) {
  site.finish("Softmax", site.inputs(), {{"axis", op.dim}});
}

void translate(OnnxSite& site, const ir::Add&) { site.finish("Add", site.inputs()); }
void translate(OnnxSite& site, const ir::Sub&) { site.finish("Sub", site.inputs()); }
void translate(OnnxSite& site, const ir::Mul&) { site.finish("Mul", site.inputs()); }
void translate(OnnxSite& site, const ir::Div&) { site.finish("Div", site.inputs()); }

void translate(OnnxSite& site, const ir::AddScalar& op) {
  site.finish("Add", {site.input(), site.number("number", op.value)});
}
void translate(OnnxSite& site, const ir::MulScalar& op) {
  site.finish("Mul", {site.input(), site.number("number", op.value)});
}

void translate(OnnxSite& site, const ir::MatMul&) { site.finish("MatMul", site.inputs()); }

void translate(OnnxSite& site, const ir::Concat& op) {
  site.finish("Concat", site.inputs(), {{"axis", op.dim}});
}

}  // namespace ptq::exporting
