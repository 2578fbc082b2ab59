#include "export/graph_comparison.h"

#include <c10/core/InferenceMode.h>

#include <map>

#include "quant/fake_quantize.h"
#include "quant/layer_quantizers.h"

namespace ptq::exporting::testing {
namespace {

at::Tensor compute(const Quantized& network, const ir::Index& index, const ir::Node& node,
                   const std::vector<at::Tensor>& inputs, int64_t batch) {
  if (const auto* fake = node.as<ir::FakeQuantize>()) {
    return quant::fake_quantize_activation(inputs[0], network.table, fake->quantizer);
  }
  ir::Op op = node.op;
  if (ir::Weighted* layer = ir::weighted(op)) {
    const auto tensors = quant::quantized_layer_tensors(index, node, network.table);
    layer->weight.value = tensors.weight;
    if (layer->bias) layer->bias->value = tensors.bias;
  }
  return runtime::execute_op(op, inputs, batch);
}

}  // namespace

GraphComparison compare_with_graph(const Quantized& network, ExportedModel& exported,
                                   const at::Tensor& images) {
  const c10::InferenceMode no_gradients;
  ir::Graph graph = network.graph;
  const ir::Index index(graph);
  std::vector<std::string> names;
  for (const ir::Value& value : graph.values) names.push_back(value.name);
  NamedValues values = exported.values(images, names);
  values["images"] = images;
  GraphComparison result;
  for (const ir::Node& node : graph.nodes) {
    std::vector<at::Tensor> inputs;
    const auto name = [&](ir::ValueId id) { return graph.values[static_cast<size_t>(id)].name; };
    for (const ir::ValueId input : node.inputs) inputs.push_back(values.at(name(input)));
    const at::Tensor expected = compute(network, index, node, inputs, images.size(0));
    if (inputs.empty()) {
      values[name(node.output())] = expected;
      continue;
    }
    const at::Tensor actual = values.at(name(node.output()));
    const double largest = expected.abs().max().item<double>();
    const double difference =
        actual.sub(expected).abs().max().item<double>() / std::max(largest, 1e-30);
    ++result.nodes;
    if (difference <= result.largest_difference) continue;
    result.largest_difference = difference;
    result.at = node.name + " (" + std::string(ir::op_name(node.op)) + ")";
  }
  return result;
}

}  // namespace ptq::exporting::testing
