#include <ATen/ops/convolution.h>
#include <ATen/ops/convolution_backward.h>

#include "passes/learned_round/operation.h"
#include "ptq/base/error.h"
#include "runtime/gemm.h"

namespace ptq::passes {
namespace {

struct Geometry {
  ir::Ints stride, padding, dilation, output_padding;
  bool transposed = false;
  int64_t groups = 1;
};

Geometry geometry(const ir::Conv& op) {
  return {op.stride, op.padding, op.dilation, ir::Ints(op.padding.size(), 0), false, op.groups};
}
Geometry geometry(const ir::ConvTranspose& op) {
  return {op.stride, op.padding, op.dilation, op.output_padding, true, op.groups};
}

class Convolution : public Operation {
 public:
  Convolution(Geometry geometry, const Tracked& x, const Tracked& weight, const at::Tensor& bias)
      : geometry_(std::move(geometry)), x_(x), weight_(weight) {
    output_ = at::convolution(x.value, weight.value, bias, geometry_.stride, geometry_.padding,
                              geometry_.dilation, geometry_.transposed, geometry_.output_padding,
                              geometry_.groups);
  }

  Tensors backward(const at::Tensor& by_output) override {
    const auto by_all = at::convolution_backward(
        by_output, x_.value, weight_.value, c10::nullopt, geometry_.stride, geometry_.padding,
        geometry_.dilation, geometry_.transposed, geometry_.output_padding, geometry_.groups,
        {x_.needs_gradient, weight_.needs_gradient, false});
    return {std::get<0>(by_all), std::get<1>(by_all)};
  }

 private:
  Geometry geometry_;
  Tracked x_;
  Tracked weight_;
};

/// Rows are what lies before the last dimension.
at::Tensor rows_of(const at::Tensor& x) { return x.reshape({-1, x.size(-1)}).contiguous(); }

class Linear : public Operation {
 public:
  Linear(const Tracked& x, const Tracked& weight, const at::Tensor& bias)
      : sizes_(x.value.sizes().vec()), x_{rows_of(x.value), x.needs_gradient}, weight_(weight) {
    at::Tensor rows = runtime::product(x_.value, weight.value.t());
    if (bias.defined()) rows.add_(bias);
    std::vector<int64_t> sizes = sizes_;
    sizes.back() = weight.value.size(0);
    output_ = rows.view(sizes);
  }

  Tensors backward(const at::Tensor& by_output) override {
    const at::Tensor by_rows = rows_of(by_output);
    Tensors by_inputs(2);
    if (x_.needs_gradient) by_inputs[0] = runtime::product(by_rows, weight_.value).view(sizes_);
    if (weight_.needs_gradient) by_inputs[1] = runtime::product(by_rows.t(), x_.value);
    return by_inputs;
  }

 private:
  std::vector<int64_t> sizes_;
  Tracked x_;
  Tracked weight_;
};

}  // namespace

std::unique_ptr<Operation> run_layer(const ir::Op& op, const Tracked& x, const Tracked& weight,
                                     const at::Tensor& bias) {
  if (std::holds_alternative<ir::Linear>(op)) return std::make_unique<Linear>(x, weight, bias);
  if (const auto* conv = std::get_if<ir::Conv>(&op)) {
    return std::make_unique<Convolution>(geometry(*conv), x, weight, bias);
  }
  if (const auto* conv = std::get_if<ir::ConvTranspose>(&op)) {
    return std::make_unique<Convolution>(geometry(*conv), x, weight, bias);
  }
  throw InternalError(std::string(ir::op_name(op)) + " has no weight");
}

}  // namespace ptq::passes
