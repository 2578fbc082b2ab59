#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>

#include "ptq/quant/quantized_network.h"

namespace ptq::runtime {

/// kFloat passes FakeQuantize nodes through and uses original weights; kQuantized applies every
/// quantizer.
enum class Numerics { kFloat, kQuantized };

/// What layers of a quantized network compute in, in a plan. kFloat: float32 over values that are
/// fake-quantized. kInteger: integers wherever input and weight are integers of at most 8 bits with
/// fixed scales (quant/integer_arithmetic.h), as kFloat elsewhere.
enum class Arithmetic { kFloat, kInteger };

/// Sees the first input of every observed node during a run. Calls come from `lane` (0 up to
/// ExecutorOptions::threads - 1) and may overlap between lanes, never within one; in a plan the
/// value holds a part of the batch, in any dense layout, and each element is seen exactly once.
using Observer = std::function<void(const ir::Node& node, const at::Tensor& value, int lane)>;

struct ExecutorOptions {
  Numerics numerics = Numerics::kQuantized;
  Observer observer;
  /// Cores to use.
  int threads = 1;
  /// What the interpreter computes in: kFloat, kBFloat16 or kHalf. Quantizers compute in float32
  /// and round their result; observers and callers see float32. A plan takes kFloat alone.
  at::ScalarType dtype = at::kFloat;
  /// Picks the nodes that are observed, of those with inputs; every FakeQuantize where empty.
  std::function<bool(const ir::Node&)> observes = {};
  /// Of a plan in kQuantized; values that are observed are floats all the same.
  Arithmetic arithmetic = Arithmetic::kFloat;

  /// Whether there is an observer and it is to see `node`.
  bool sees(const ir::Node& node) const {
    return observer && (observes ? observes(node) : node.is<ir::FakeQuantize>());
  }
};

/// A network made ready to run. It keeps what it needs of graph and table: both may change or die
/// afterwards without effect on it, except that an observer receives nodes of the original graph.
class Executor {
 public:
  virtual ~Executor() = default;

  /// images [N, 3, H, W] float32, any N >= 1; returns [N, classes] float32, contiguous. Throws
  /// ExecutionError naming the node if an operation fails.
  virtual at::Tensor run(const at::Tensor& images) = 0;
};

/// Node by node through plain ATen, in the batch's own size: what every other way of running is
/// compared with. In kFloat it repeats the module's own calls, bit for bit.
std::unique_ptr<Executor> make_interpreter(NetworkView network, ExecutorOptions options);

/// The optimised plan: fused steps, prepacked weights, one lane a thread, micro-batches of its own
/// choosing (ARCHITECTURE.md, "Running"). Results do not depend on threads or batch size.
std::unique_ptr<Executor> make_plan(NetworkView network, ExecutorOptions options);

}  // namespace ptq::runtime
