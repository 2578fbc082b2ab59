#pragma once

#include <vector>

#include "passes/correct_biases.h"

namespace ptq::passes {

/// A layer to correct, in two graphs.
struct FloatLayer {
  ir::Node* layer = nullptr;
  const ir::Node* in_stream = nullptr;
  /// The quantizer of its input, where that is part of the layer.
  ir::QuantizerId own_quantizer = ir::kNoQuantizer;
};

/// A copy of a placed graph in which layers are float, without input quantizers of their own, and
/// all other activations are quantized. It refers to `graph`, and nodes refer to it: neither moves.
class FloatLayers {
 public:
  FloatLayers(ir::Graph& graph, const BiasCorrectionOptions& options);
  FloatLayers(const FloatLayers&) = delete;
  FloatLayers& operator=(const FloatLayers&) = delete;

  const ir::Graph& stream() const { return stream_; }
  /// In execution order.
  const std::vector<FloatLayer>& layers() const { return layers_; }

 private:
  void make_float(ir::Node& layer, ir::Node& in_stream, const ir::Node* own_quantizer);

  const BiasCorrectionOptions& options_;
  ir::Graph stream_;
  std::vector<FloatLayer> layers_;
};

}  // namespace ptq::passes
