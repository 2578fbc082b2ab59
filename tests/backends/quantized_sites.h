#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "ptq/backends/placement.h"
#include "support/network_builder.h"

namespace ptq::backends::testing {

using ptq::testing::NetworkBuilder;

/// A placed graph, and what its quantizers say.
struct Placed : QuantizedNetwork {
  /// One word a FakeQuantize, in order: `producer:s0`, signed (s), unsigned (u) or asymmetric (a),
  /// and the number of its scale, counted as scales first appear.
  std::string sites() const {
    return words(
        [](const quant::Quantizer& quantizer, ir::QuantizerId) { return quantizer.scale; });
  }

  /// The same with the numbers of whole quantizers: zero points are shared where these agree.
  std::string whole_sites() const {
    return words([](const quant::Quantizer&, ir::QuantizerId id) { return id; });
  }

  /// `producer:axis` of every FakeQuantize.
  std::string group_axes() const {
    std::string words;
    for (const auto& [name, id] : activations()) {
      if (!words.empty()) words += " ";
      words += name + ":" + std::to_string(table.at(id).axis);
    }
    return words;
  }

  const quant::Quantizer& quantizer_behind(const std::string& producer) const {
    return table.at(id_behind(producer));
  }
  const quant::Scale& scale_behind(const std::string& producer) const {
    return table.scale_of(id_behind(producer));
  }
  /// `producer:bits` of every FakeQuantize.
  std::string activation_bits() const {
    std::string words;
    for (const auto& [name, id] : activations()) {
      if (!words.empty()) words += " ";
      words += name + ":" + std::to_string(quant::bit_width(table.at(id).format));
    }
    return words;
  }

  const ir::Weighted& layer(const std::string& name) const {
    for (const ir::Node& node : graph.nodes) {
      if (node.name == name) return *ir::weighted(node.op);
    }
    throw std::out_of_range(name);
  }
  const quant::Quantizer& weight_of(const std::string& name) const {
    return table.at(layer(name).weight_quantizer);
  }
  bool has_bias_quantizer(const std::string& name) const {
    return layer(name).bias_quantizer != ir::kNoQuantizer;
  }

 private:
  /// Producer and quantizer of every FakeQuantize, in order.
  std::vector<std::pair<std::string, ir::QuantizerId>> activations() const {
    ir::Graph copy = graph;
    const ir::Index index(copy);
    std::vector<std::pair<std::string, ir::QuantizerId>> found;
    for (const ir::Node& node : copy.nodes) {
      const auto* fake = node.as<ir::FakeQuantize>();
      if (fake == nullptr) continue;
      const ir::Node* producer = index.producer(node.inputs[0]);
      found.emplace_back(producer == nullptr ? "input" : producer->name, fake->quantizer);
    }
    return found;
  }

  template <class Group>
  std::string words(const Group& group_of) const {
    std::map<int, size_t> numbers;
    std::string words;
    for (const auto& [name, id] : activations()) {
      const quant::Quantizer& quantizer = table.at(id);
      const size_t number = numbers.emplace(group_of(quantizer, id), numbers.size()).first->second;
      if (!words.empty()) words += " ";
      words += name + ":" + kind(quantizer) + std::to_string(number);
    }
    return words;
  }

  static std::string kind(const quant::Quantizer& quantizer) {
    if (quantizer.symmetry == quant::Symmetry::kAsymmetric) return "a";
    return quant::is_signed(quantizer.format) ? "s" : "u";
  }

  ir::QuantizerId id_behind(const std::string& producer) const {
    for (const auto& [name, id] : activations()) {
      if (name == producer) return id;
    }
    throw std::out_of_range(producer);
  }
};

inline Placed place(const NetworkBuilder& builder, const PlacementOptions& options = {},
                    Backend backend = Backend::kFx) {
  Placed placed{backends::place(backend, builder.graph(), options)};
  ir::verify(placed.graph);
  return placed;
}

/// Keeps 4 channels.
inline constexpr NetworkBuilder::ConvShape kConv{};

/// ResNet's block: relu and convolution of the same shape meet in an add.
inline NetworkBuilder basic_block() {
  NetworkBuilder net({4, 6, 6});
  const ir::ValueId skip = net.add("stem.relu", ir::Relu{}, {net.conv("stem", net.input(), kConv)});
  ir::ValueId x = net.add("relu1", ir::Relu{}, {net.conv("conv1", skip, kConv)});
  x = net.add("add", ir::Add{}, {net.conv("conv2", x, kConv), skip});
  x = net.add("relu2", ir::Relu{}, {x});
  net.linear("fc", net.reshape("flat", x, {144}), 5);
  return net;
}

}  // namespace ptq::backends::testing
