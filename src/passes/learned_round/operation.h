#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "passes/learned_round/dropping.h"
#include "ptq/ir/op.h"

namespace ptq::passes {

using Tensors = std::vector<at::Tensor>;

/// A value, and whether anyone asks for the derivative by it.
struct Tracked {
  at::Tensor value;
  bool needs_gradient = false;
};

/// One operation that ran, with what its derivatives need.
class Operation {
 public:
  virtual ~Operation() = default;
  const at::Tensor& output() const { return output_; }
  /// Derivatives by the inputs it was made of, in their order, from that by its output; undefined
  /// where nobody asked. At most once.
  virtual Tensors backward(const at::Tensor& by_output) = 0;

 protected:
  at::Tensor output_;
};

/// Conv, ConvTranspose, Linear; inputs are {x, weight}. `bias` may be undefined.
std::unique_ptr<Operation> run_layer(const ir::Op& op, const Tracked& x, const Tracked& weight,
                                     const at::Tensor& bias);

std::unique_ptr<Operation> run_quantizer(const Tracked& x, const quant::QuantizerTable& table,
                                         ir::QuantizerId id, const Dropping& dropping);

/// Any other operation.
std::unique_ptr<Operation> run_operation(const ir::Op& op, const std::vector<Tracked>& inputs,
                                         int64_t batch);

}  // namespace ptq::passes
