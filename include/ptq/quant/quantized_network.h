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

/// The same for a reader, where graph and table need not have one owner: a graph that several
/// tables fit, or a graph alone, which has no quantizers. It owns nothing; both outlive it.
struct NetworkView {
  NetworkView(const QuantizedNetwork& network) : graph(network.graph), table(network.table) {}
  NetworkView(const ir::Graph& graph_alone) : graph(graph_alone), table(quant::kNoQuantizers) {}
  NetworkView(const ir::Graph& of_graph, const quant::QuantizerTable& its_table)
      : graph(of_graph), table(its_table) {}

  const ir::Graph& graph;
  const quant::QuantizerTable& table;
};

}  // namespace ptq
