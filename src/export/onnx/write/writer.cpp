#include "export/onnx/write/writer.h"

#include "export/onnx/opset.h"
#include "export/onnx/write/site.h"

namespace ptq::exporting {
namespace {

const ir::Value& value_of(const OnnxTranslation& whole, ir::ValueId value) {
  return whole.network.graph.values[static_cast<size_t>(value)];
}

struct Translate {
  OnnxSite& site;

  void operator()(const ir::Constant&) const {}
  template <class Op>
  void operator()(const Op& op) const {
    translate(site, op);
  }
};

/// Before anything else is named: values keep their names, whatever their parts are called.
void name_values(OnnxTranslation& whole) {
  const auto name = [&](ir::ValueId value, const std::string& otherwise) {
    const std::string& own = value_of(whole, value).name;
    whole.tensors[value] = whole.model.unique_name(own.empty() ? otherwise : own);
  };
  name(whole.network.graph.input, "images");
  for (const ir::Node& node : whole.network.graph.nodes) name(node.output(), node.name);
}

void translate_node(OnnxTranslation& whole, const ir::Node& node) {
  OnnxSite site(whole, node);
  if (const auto* constant = node.as<ir::Constant>()) {
    whole.model.add_floats_under_own_name(site.output(), constant->value.value);
    return;
  }
  std::visit(Translate{site}, node.op);
  if (node.output() == whole.network.graph.output) return;
  OnnxModel::set_float_type(*whole.model.proto().mutable_graph()->add_value_info(), site.output(),
                            site.output_shape());
}

}  // namespace

onnx::ModelProto to_onnx(NetworkView network, const ExportOptions& options) {
  OnnxModel model(choose_opset(network.table, options));
  ir::Graph graph = network.graph;
  const ir::Index index(graph);
  OnnxTranslation whole{model, {graph, network.table}, index, options};
  name_values(whole);
  for (const ir::Node& node : graph.nodes) translate_node(whole, node);

  onnx::GraphProto& proto = *model.proto().mutable_graph();
  OnnxModel::set_float_type(*proto.add_input(), whole.tensors.at(graph.input),
                            value_of(whole, graph.input).shape);
  OnnxModel::set_float_type(*proto.add_output(), whole.tensors.at(graph.output),
                            value_of(whole, graph.output).shape);
  for (const auto& [key, value] : options.metadata) {
    onnx::StringStringEntryProto& entry = *model.proto().add_metadata_props();
    entry.set_key(key);
    entry.set_value(value);
  }
  return std::move(model.proto());
}

}  // namespace ptq::exporting
