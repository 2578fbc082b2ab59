#include "passes/bias_correction/float_layers.h"

namespace ptq::passes {
namespace {

/// Whether `value` is the context of an attention whose module runs `layer` itself: that is how the
/// output projection of nn.MultiheadAttention is called. Layers elsewhere are modules of their own.
bool is_context_of(const ir::Index& index, ir::ValueId value, const ir::Node& layer) {
  const ir::Node* producer = index.producer(value);
  while (producer != nullptr && (producer->is<ir::Reshape>() || producer->is<ir::Permute>())) {
    producer = index.producer(producer->inputs[0]);
  }
  return producer != nullptr && producer->is<ir::MatMul>() && producer->module == layer.module;
}

/// The FakeQuantize that is part of `layer`, or nullptr.
const ir::Node* own_quantizer(const ir::Index& index, const ir::Node& layer,
                              InputQuantizers placement) {
  const ir::Node* fake = index.producer(layer.inputs[0]);
  if (fake == nullptr || !fake->is<ir::FakeQuantize>()) return nullptr;
  if (placement == InputQuantizers::kLayer) return fake;
  return is_context_of(index, fake->inputs[0], layer) ? fake : nullptr;
}

}  // namespace

FloatLayers::FloatLayers(ir::Graph& graph, const BiasCorrectionOptions& options)
    : options_(options), stream_(graph) {
  const ir::Index index(graph);
  auto in_stream = stream_.nodes.begin();
  for (ir::Node& node : graph.nodes) {
    ir::Node& copy = *in_stream++;
    const ir::Weighted* layer = ir::weighted(node.op);
    if (layer == nullptr || layer->weight_quantizer == ir::kNoQuantizer) continue;
    make_float(node, copy, own_quantizer(index, node, options.input_quantizers));
  }
  ir::remove_dead_nodes(stream_);
}

void FloatLayers::make_float(ir::Node& layer, ir::Node& in_stream, const ir::Node* own_quantizer) {
  ir::Weighted& weighted = *ir::weighted(in_stream.op);
  weighted.weight_quantizer = weighted.bias_quantizer = ir::kNoQuantizer;
  const auto original = options_.original_weights.find(layer.name);
  if (original != options_.original_weights.end()) weighted.weight.value = original->second;
  FloatLayer& added = layers_.emplace_back(FloatLayer{&layer, &in_stream, ir::kNoQuantizer});
  if (own_quantizer == nullptr) return;
  added.own_quantizer = own_quantizer->as<ir::FakeQuantize>()->quantizer;
  in_stream.inputs[0] = own_quantizer->inputs[0];
}

}  // namespace ptq::passes
