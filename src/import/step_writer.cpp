#include "import/step_writer.h"

#include <ATen/ExpandUtils.h>

namespace ptq::import {
namespace {

/// All dimensions but the last two.
ir::Ints leading(const ir::Ints& shape) { return {shape.begin(), shape.end() - 2}; }

ir::Ints joined(ir::Ints shape, int64_t rows, int64_t columns) {
  shape.push_back(rows);
  shape.push_back(columns);
  return shape;
}

}  // namespace

using Step = StepWriter::Step;

Step StepWriter::append(ir::Op op, std::vector<ir::ValueId> inputs, ir::Ints shape,
                        const char* word) {
  const ir::ValueId value = recorder_.append(std::move(op), std::move(inputs), shape, word);
  return {value, std::move(shape)};
}

Step StepWriter::broadcast(ir::Op op, const Step& a, const Step& b, const char* word) {
  return append(std::move(op), {a.value, b.value}, at::infer_size(a.shape, b.shape), word);
}

Step StepWriter::reshape(const Step& x, ir::Ints shape) {
  return append(ir::Reshape{constant_dims(shape)}, {x.value}, shape, "reshape");
}

Step StepWriter::permute(const Step& x, const ir::Ints& dims) {
  ir::Ints shape;
  for (const int64_t dim : dims) shape.push_back(x.shape[static_cast<size_t>(dim)]);
  return append(ir::Permute{dims}, {x.value}, shape, "transpose");
}

Step StepWriter::expand(const Step& x, ir::Ints shape) {
  if (x.shape == shape) return x;
  return append(ir::Expand{constant_dims(shape)}, {x.value}, shape, "expand");
}

Step StepWriter::part(const Step& x, int64_t index, int64_t count) {
  ir::Ints shape = x.shape;
  shape.back() /= count;
  const ir::Slice slice{static_cast<int64_t>(shape.size()) - 1,
                        {index * shape.back(), false},
                        {(index + 1) * shape.back(), false},
                        1};
  return append(slice, {x.value}, std::move(shape), "chunk");
}

Step StepWriter::select(const Step& x, int64_t dim, int64_t index) {
  ir::Ints shape = x.shape;
  shape.erase(shape.begin() + dim);
  return append(ir::Select{dim, {index, false}}, {x.value}, std::move(shape), "select");
}

Step StepWriter::concat(const std::vector<Step>& parts, int64_t dim) {
  if (parts.size() == 1) return parts.front();
  ir::Ints shape = parts.front().shape;
  int64_t& extent = shape[static_cast<size_t>(dim)];
  extent = 0;
  std::vector<ir::ValueId> values;
  for (const Step& each : parts) {
    extent += each.shape[static_cast<size_t>(dim)];
    values.push_back(each.value);
  }
  return append(ir::Concat{dim}, std::move(values), std::move(shape), "cat");
}

Step StepWriter::linear(const Step& x, const at::Tensor& weight, const at::Tensor& bias) {
  ir::Linear op;
  op.weight = recorder_.parameter(weight, "weight");
  if (bias.defined()) op.bias = recorder_.parameter(bias, "bias");
  ir::Ints shape = x.shape;
  shape.back() = weight.size(0);
  return append(std::move(op), {x.value}, std::move(shape), "linear");
}

Step StepWriter::layer_norm(const Step& x, const at::Tensor& weight, const at::Tensor& bias,
                            double eps) {
  ir::LayerNorm op;
  op.weight = recorder_.parameter(weight, "weight");
  op.bias = recorder_.parameter(bias, "bias");
  op.normalized_shape = {x.shape.back()};
  op.eps = eps;
  return append(std::move(op), {x.value}, x.shape, "layer_norm");
}

Step StepWriter::matmul(const Step& a, const Step& b) {
  const ir::Ints batch = at::infer_size(leading(a.shape), leading(b.shape));
  const int64_t rows = a.shape[a.shape.size() - 2], columns = b.shape.back();
  const Step left = expand(a, joined(batch, rows, a.shape.back()));
  const Step right = expand(b, joined(batch, a.shape.back(), columns));
  return append(ir::MatMul{}, {left.value, right.value}, joined(batch, rows, columns), "matmul");
}

Step StepWriter::mean_over(const Step& x, int64_t dim) {
  ir::Ints shape = x.shape;
  shape.erase(shape.begin() + dim);
  return append(ir::Mean{{dim}, false}, {x.value}, std::move(shape), "mean");
}

Step StepWriter::softmax(const Step& x) {
  return same(ir::Softmax{static_cast<int64_t>(x.shape.size()) - 1}, x, "softmax");
}

Step StepWriter::tanh(const Step& x) {
  return same(ir::Opaque{"aten::tanh", "", {ir::InputRef{0}}}, x, "tanh");
}

}  // namespace ptq::import
