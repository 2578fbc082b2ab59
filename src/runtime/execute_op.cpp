#include "runtime/execute_op.h"

#include <ATen/ops/adaptive_avg_pool1d.h>
#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/adaptive_avg_pool3d.h>
#include <ATen/ops/avg_pool1d.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/avg_pool3d.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/hardsigmoid.h>
#include <ATen/ops/hardswish.h>
#include <ATen/ops/hardtanh.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/max_pool1d.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/max_pool3d.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/softmax.h>

#include "ir/call_opaque.h"

namespace ptq::runtime {
namespace {

using Tensors = std::vector<at::Tensor>;

at::Tensor value_of(const std::optional<ir::Parameter>& parameter) {
  return parameter ? parameter->value : at::Tensor();
}

at::Tensor run(const ir::Conv& op, const Tensors& in, int64_t) {
  return at::convolution(in[0], op.weight.value, value_of(op.bias), op.stride, op.padding,
                         op.dilation, false, ir::Ints(op.padding.size(), 0), op.groups);
}
at::Tensor run(const ir::ConvTranspose& op, const Tensors& in, int64_t) {
  return at::convolution(in[0], op.weight.value, value_of(op.bias), op.stride, op.padding,
                         op.dilation, true, op.output_padding, op.groups);
}
at::Tensor run(const ir::Linear& op, const Tensors& in, int64_t) {
  return at::linear(in[0], op.weight.value, value_of(op.bias));
}

at::Tensor run(const ir::BatchNorm& op, const Tensors& in, int64_t) {
  constexpr double kUnusedMomentum = 0.1;
  return at::batch_norm(in[0], value_of(op.weight), value_of(op.bias), op.running_mean.value,
                        op.running_var.value, false, kUnusedMomentum, op.eps, false);
}
at::Tensor run(const ir::LayerNorm& op, const Tensors& in, int64_t) {
  return at::layer_norm(in[0], op.normalized_shape, value_of(op.weight), value_of(op.bias), op.eps);
}

at::Tensor run(const ir::Relu&, const Tensors& in, int64_t) { return at::relu(in[0]); }
at::Tensor run(const ir::Relu6& op, const Tensors& in, int64_t) {
  if (!op.ceiling) return at::hardtanh(in[0], 0, 6);
  return at::minimum(at::relu(in[0]), op.ceiling->value.to(in[0].scalar_type()));
}
at::Tensor run(const ir::Sigmoid&, const Tensors& in, int64_t) { return at::sigmoid(in[0]); }
at::Tensor run(const ir::Silu&, const Tensors& in, int64_t) { return at::silu(in[0]); }
at::Tensor run(const ir::Hardswish&, const Tensors& in, int64_t) { return at::hardswish(in[0]); }
at::Tensor run(const ir::Hardsigmoid&, const Tensors& in, int64_t) {
  return at::hardsigmoid(in[0]);
}
at::Tensor run(const ir::Gelu& op, const Tensors& in, int64_t) {
  return at::gelu(in[0], op.tanh_approximation ? "tanh" : "none");
}
at::Tensor run(const ir::LeakyRelu& op, const Tensors& in, int64_t) {
  return at::leaky_relu(in[0], op.negative_slope);
}
at::Tensor run(const ir::Softmax& op, const Tensors& in, int64_t) {
  return at::softmax(in[0], op.dim);
}

at::Tensor run(const ir::Add&, const Tensors& in, int64_t) { return in[0].add(in[1]); }
at::Tensor run(const ir::Sub&, const Tensors& in, int64_t) { return in[0].sub(in[1]); }
at::Tensor run(const ir::Mul&, const Tensors& in, int64_t) { return in[0].mul(in[1]); }
at::Tensor run(const ir::Div&, const Tensors& in, int64_t) { return in[0].div(in[1]); }
at::Tensor run(const ir::AddScalar& op, const Tensors& in, int64_t) { return in[0].add(op.value); }
at::Tensor run(const ir::MulScalar& op, const Tensors& in, int64_t) { return in[0].mul(op.value); }

at::Tensor run(const ir::MatMul&, const Tensors& in, int64_t) {
  const bool plain_batches = in[0].dim() == 3 && in[1].dim() == 3 && in[0].size(0) == in[1].size(0);
  return plain_batches ? at::bmm(in[0], in[1]) : at::matmul(in[0], in[1]);
}
at::Tensor run(const ir::Concat& op, const Tensors& in, int64_t) { return at::cat(in, op.dim); }

at::Tensor run(const ir::MaxPool& op, const Tensors& in, int64_t) {
  const auto pool = [&](auto function) {
    return function(in[0], op.kernel, op.stride, op.padding, op.dilation, op.ceil_mode);
  };
  switch (op.kernel.size()) {
    case 1:
      return pool(at::max_pool1d);
    case 2:
      return pool(at::max_pool2d);
    default:
      return pool(at::max_pool3d);
  }
}

at::Tensor run(const ir::AvgPool& op, const Tensors& in, int64_t) {
  const auto pool = [&](auto function, auto... divisor) {
    return function(in[0], op.kernel, op.stride, op.padding, op.ceil_mode, op.count_include_pad,
                    divisor...);
  };
  const c10::optional<int64_t> divisor =
      op.divisor_override ? c10::make_optional(*op.divisor_override) : c10::nullopt;
  switch (op.kernel.size()) {
    case 1:
      return pool(at::avg_pool1d);
    case 2:
      return pool(at::avg_pool2d, divisor);
    default:
      return pool(at::avg_pool3d, divisor);
  }
}

at::Tensor run(const ir::AdaptiveAvgPool& op, const Tensors& in, int64_t) {
  switch (op.output_size.size()) {
    case 1:
      return at::adaptive_avg_pool1d(in[0], op.output_size);
    case 2:
      return at::adaptive_avg_pool2d(in[0], op.output_size);
    default:
      return at::adaptive_avg_pool3d(in[0], op.output_size);
  }
}

at::Tensor run(const ir::Mean& op, const Tensors& in, int64_t) {
  return in[0].mean(op.dims, op.keepdim);
}

at::Tensor run(const ir::Reshape& op, const Tensors& in, int64_t batch) {
  return in[0].reshape(ir::at_batch(op.shape, batch));
}
at::Tensor run(const ir::Permute& op, const Tensors& in, int64_t) { return in[0].permute(op.dims); }
at::Tensor run(const ir::Expand& op, const Tensors& in, int64_t batch) {
  return in[0].expand(ir::at_batch(op.shape, batch));
}
at::Tensor run(const ir::Select& op, const Tensors& in, int64_t batch) {
  return in[0].select(op.dim, op.index.at(batch));
}
at::Tensor run(const ir::Slice& op, const Tensors& in, int64_t batch) {
  return in[0].slice(op.dim, op.start.at(batch), op.end.at(batch), op.step);
}
at::Tensor run(const ir::Constant& op, const Tensors&, int64_t) { return op.value.value; }
at::Tensor run(const ir::FakeQuantize&, const Tensors& in, int64_t) { return in[0]; }

at::Tensor run(const ir::Opaque& op, const Tensors& in, int64_t batch) {
  return ir::call_opaque(op, in, batch);
}

}  // namespace

at::Tensor execute_op(const ir::Op& op, const std::vector<at::Tensor>& inputs, int64_t batch) {
  return std::visit([&](const auto& typed) { return run(typed, inputs, batch); }, op);
}

}  // namespace ptq::runtime
