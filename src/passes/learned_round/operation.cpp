#include "passes/learned_round/operation.h"

#include <ATen/ops/empty.h>
#include <c10/core/GradMode.h>

#include "runtime/execute_op.h"
#include "runtime/gemm.h"

namespace ptq::passes {
namespace {

class Quantizing : public Operation {
 public:
  Quantizing(const Tracked& x, const quant::QuantizerTable& table, ir::QuantizerId id,
             const Dropping& dropping)
      : needs_gradient_(x.needs_gradient) {
    Quantized quantized = quantize_with_dropping(x.value, table, id, dropping);
    output_ = quantized.value;
    if (needs_gradient_) passes_ = quantized.passes;
  }

  Tensors backward(const at::Tensor& by_output) override {
    if (!needs_gradient_) return {at::Tensor()};
    return {passed(by_output, passes_)};
  }

 private:
  bool needs_gradient_;
  at::Tensor passes_;
};

/// Whatever LibTorch derives by itself. Each operation has a small graph of its own.
class Derived : public Operation {
 public:
  Derived(const ir::Op& op, const std::vector<Tracked>& inputs, int64_t batch) {
    const c10::AutoGradMode gradients(true);
    for (const Tracked& input : inputs) {
      // Places that a topk chose have none, whatever they were chosen by.
      const bool derives = input.needs_gradient && input.value.is_floating_point();
      leaves_.push_back(input.value.detach().set_requires_grad(derives));
    }
    result_ = runtime::execute_op(op, leaves_, batch);
    output_ = result_.detach();
  }

  Tensors backward(const at::Tensor& by_output) override {
    if (result_.requires_grad()) result_.backward(by_output);
    Tensors by_inputs;
    for (const at::Tensor& leaf : leaves_) {
      by_inputs.push_back(leaf.requires_grad() ? leaf.grad() : at::Tensor());
    }
    return by_inputs;
  }

 private:
  Tensors leaves_;
  at::Tensor result_;
};

/// [..., m, k] as [matrices, m, k].
at::Tensor stacked(const at::Tensor& x) {
  return x.contiguous().view({-1, x.size(-2), x.size(-1)});
}

/// c[i] = a[i] b[i].
at::Tensor products(const at::Tensor& a, const at::Tensor& b) {
  at::Tensor c = at::empty({a.size(0), a.size(1), b.size(2)});
  for (int64_t i = 0; i < a.size(0); ++i) {
    at::Tensor part = c.select(0, i);
    runtime::add_product(part, a.select(0, i), b.select(0, i), 1, 0);
  }
  return c;
}

/// Products of equally many matrices, which LibTorch leaves to the BLAS it was linked with.
class MatMul : public Operation {
 public:
  MatMul(const Tracked& a, const Tracked& b)
      : a_sizes_(a.value.sizes().vec()),
        b_sizes_(b.value.sizes().vec()),
        a_{stacked(a.value), a.needs_gradient},
        b_{stacked(b.value), b.needs_gradient} {
    std::vector<int64_t> sizes = a_sizes_;
    sizes.back() = b_sizes_.back();
    output_ = products(a_.value, b_.value).view(sizes);
  }

  Tensors backward(const at::Tensor& by_output) override {
    const at::Tensor g = stacked(by_output);
    Tensors by_inputs(2);
    if (a_.needs_gradient) by_inputs[0] = products(g, b_.value.transpose(1, 2)).view(a_sizes_);
    if (b_.needs_gradient) by_inputs[1] = products(a_.value.transpose(1, 2), g).view(b_sizes_);
    return by_inputs;
  }

 private:
  std::vector<int64_t> a_sizes_;
  std::vector<int64_t> b_sizes_;
  Tracked a_;
  Tracked b_;
};

bool has_equal_stacks(const at::Tensor& a, const at::Tensor& b) {
  if (a.dim() != b.dim() || a.dim() < 2) return false;
  return a.sizes().slice(0, static_cast<size_t>(a.dim() - 2)) ==
         b.sizes().slice(0, static_cast<size_t>(b.dim() - 2));
}

}  // namespace

std::unique_ptr<Operation> run_quantizer(const Tracked& x, const quant::QuantizerTable& table,
                                         ir::QuantizerId id, const Dropping& dropping) {
  return std::make_unique<Quantizing>(x, table, id, dropping);
}

std::unique_ptr<Operation> run_operation(const ir::Op& op, const std::vector<Tracked>& inputs,
                                         int64_t batch) {
  if (std::holds_alternative<ir::MatMul>(op) &&
      has_equal_stacks(inputs[0].value, inputs[1].value)) {
    return std::make_unique<MatMul>(inputs[0], inputs[1]);
  }
  return std::make_unique<Derived>(op, inputs, batch);
}

}  // namespace ptq::passes
