#pragma once

#include <map>
#include <string>
#include <vector>

#include "ptq/backends/placement.h"
#include "support/network_builder.h"

namespace ptq::backends::testing {

using ptq::testing::NetworkBuilder;

/// A placed graph, and what its FakeQuantize nodes say.
struct Placed {
  ir::Graph graph;
  quant::QuantizerTable table;

  /// One word a FakeQuantize, in order: `producer:s0` or `producer:u0`, signed or unsigned and the
  /// number of its scale, counted as scales first appear.
  std::string sites() const {
    ir::Graph copy = graph;
    const ir::Index index(copy);
    std::map<quant::ScaleId, size_t> numbers;
    std::string words;
    for (const ir::Node& node : copy.nodes) {
      const auto* fake = node.as<ir::FakeQuantize>();
      if (fake == nullptr) continue;
      const quant::Quantizer& quantizer = table.at(fake->quantizer);
      const size_t number = numbers.emplace(quantizer.scale, numbers.size()).first->second;
      const ir::Node* producer = index.producer(node.inputs[0]);
      if (!words.empty()) words += " ";
      words += (producer == nullptr ? "input" : producer->name) +
               (quantizer.format.is_signed ? ":s" : ":u") + std::to_string(number);
    }
    return words;
  }

  const quant::Scale& scale_behind(const std::string& producer) const {
    for (const ir::Node& node : graph.nodes) {
      if (node.name == producer + ".quant") {
        return table.scale_of(node.as<ir::FakeQuantize>()->quantizer);
      }
    }
    throw std::out_of_range(producer);
  }
};

inline Placed place(const NetworkBuilder& builder, const PlacementOptions& options = {}) {
  Placed placed{builder.graph(), {}};
  placed.table = backends::place(Backend::kFx, placed.graph, options);
  ir::verify(placed.graph);
  return placed;
}

}  // namespace ptq::backends::testing
