#pragma once

#include <utility>
#include <vector>

#include "import/recorder.h"

namespace ptq::import {

/// Appends the steps of an operator that does many things at once, each on the value before. They
/// are not executed, so each carries its shape.
class StepWriter {
 public:
  explicit StepWriter(Recorder& recorder) : recorder_(recorder) {}

  struct Step {
    ir::ValueId value = -1;
    ir::Ints shape;
  };

  Step start(const at::Tensor& tensor) { return {recorder_.read(tensor), tensor.sizes().vec()}; }
  Step reshape(const Step& x, ir::Ints shape);
  Step permute(const Step& x, const ir::Ints& dims);
  /// Repeated to `shape`, where it is not that already.
  Step expand(const Step& x, ir::Ints shape);
  /// The `index`-th of `count` equal parts of the last dimension.
  Step part(const Step& x, int64_t index, int64_t count);
  /// One index of a dimension, which disappears.
  Step select(const Step& x, int64_t dim, int64_t index);
  Step concat(const std::vector<Step>& parts, int64_t dim);

  /// `weight` [out, in], `bias` perhaps undefined.
  Step linear(const Step& x, const at::Tensor& weight, const at::Tensor& bias);
  Step layer_norm(const Step& x, const at::Tensor& weight, const at::Tensor& bias, double eps);
  /// Over the last two dimensions; those before are repeated where they have to be.
  Step matmul(const Step& a, const Step& b);
  Step mean_over(const Step& x, int64_t dim);

  Step add(const Step& a, const Step& b) { return broadcast(ir::Add{}, a, b, "add"); }
  Step sub(const Step& a, const Step& b) { return broadcast(ir::Sub{}, a, b, "sub"); }
  Step mul(const Step& a, const Step& b) { return broadcast(ir::Mul{}, a, b, "mul"); }
  Step scale(const Step& x, double factor) { return same(ir::MulScalar{factor}, x, "mul"); }
  Step softmax(const Step& x);
  Step sigmoid(const Step& x) { return same(ir::Sigmoid{}, x, "sigmoid"); }
  Step relu(const Step& x) { return same(ir::Relu{}, x, "relu"); }
  Step gelu(const Step& x) { return same(ir::Gelu{}, x, "gelu"); }
  Step tanh(const Step& x);

 private:
  Step append(ir::Op op, std::vector<ir::ValueId> inputs, ir::Ints shape, const char* word);
  Step same(ir::Op op, const Step& x, const char* word) {
    return append(std::move(op), {x.value}, x.shape, word);
  }
  Step broadcast(ir::Op op, const Step& a, const Step& b, const char* word);

  Recorder& recorder_;
};

}  // namespace ptq::import
