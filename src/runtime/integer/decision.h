#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "quant/integer_arithmetic.h"
#include "runtime/integer_layers.h"
#include "runtime/plan/plan_graph.h"

namespace ptq::runtime::integer {

/// What of a graph runs on integers. Deciding only: nothing is built or changed here.
struct Decision {
  /// By value: the codes it lies as, of outputs of quantizers; nothing for floats.
  std::vector<std::optional<quant::ByteFormat>> codes;
  /// Layers that multiply integers, with their weights. Products of two values are not here: they
  /// do where both values are codes.
  std::unordered_map<const ir::Node*, quant::IntegerLayer> layers;
  /// Every layer and every product, in execution order.
  std::vector<LayerArithmetic> report;
};

/// Values in `kept` stay floats: somebody looks at them.
Decision decide(PlanGraph& plan, const std::unordered_set<ir::ValueId>& kept);

}  // namespace ptq::runtime::integer
