#pragma once

#include "ptq/ir/graph.h"
#include "ptq/quant/quantizer.h"

namespace ptq {

/// A graph with FakeQuantize nodes and layer quantizers, and the table that their ids point into.
/// Copies share tensors.
struct QuantizedNetwork {
  ir::Graph graph;
  quant::QuantizerTable table;
};

}  // namespace ptq
