#include <ATen/ops/zeros.h>

#include "runtime/execute_op.h"
#include "runtime/steps/step.h"

namespace ptq::runtime {
namespace {

/// The operation as LibTorch runs it, with the result copied to where the plan wants it.
class Fallback : public Step {
 public:
  Fallback(ir::Op op, size_t inputs, int64_t micro_batch)
      : op_(std::move(op)), inputs_(inputs), micro_batch_(micro_batch) {}

  Bound bind(const std::vector<at::Tensor>& inputs, const at::Tensor& out,
             void* /*scratch*/) const override {
    const auto count = static_cast<std::ptrdiff_t>(inputs_);
    std::vector<at::Tensor> own(inputs.begin(), inputs.begin() + count);
    return [op = op_, own = std::move(own), out, micro_batch = micro_batch_] {
      out.copy_(execute_op(op, own, micro_batch));
    };
  }

 private:
  ir::Op op_;
  size_t inputs_;
  int64_t micro_batch_;
};

/// The operation with the weights that the step is to use.
ir::Op with_weights(ir::Op op, const quant::LayerTensors& weights) {
  if (ir::Weighted* layer = ir::weighted(op)) {
    layer->weight.value = weights.weight;
    if (weights.bias.defined()) layer->bias = ir::Parameter{"", weights.bias};
  }
  return op;
}

at::Tensor zeros_at(const Layout& layout) {
  const auto element = static_cast<int64_t>(c10::elementSize(layout.dtype));
  return at::zeros({layout.bytes() / element}, at::TensorOptions().dtype(layout.dtype))
      .as_strided(layout.sizes, layout.strides);
}

}  // namespace

BuiltStep build_fallback(const StepRequest& request) {
  const ir::Op op = with_weights(request.node.op, request.weights);
  const size_t count = request.node.inputs.size();
  std::vector<at::Tensor> samples;
  for (size_t i = 0; i < count; ++i) {
    samples.push_back(zeros_at(request.inputs[i]));
  }
  const at::Tensor sample = execute_op(op, samples, request.micro_batch);
  Layout out = layout_of(sample);
  if (!is_dense(out)) {
    out = row_major(out.sizes);
    out.dtype = sample.scalar_type();
  }
  return tailed(std::make_unique<Fallback>(op, count, request.micro_batch), request.tail, out);
}

}  // namespace ptq::runtime
