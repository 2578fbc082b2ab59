#include "export/node_comparison.h"

#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <unordered_map>

#include "export/onnx_evaluation.h"
#include "export/onnx_runtime.h"

namespace ptq::exporting::testing {
namespace {

using Values = std::unordered_map<std::string, OnnxValue>;

const OnnxFunctions& functions() {
  static const OnnxFunctions kFunctions = [] {
    OnnxFunctions all;
    add_elementwise_functions(all);
    add_layer_functions(all);
    add_pool_functions(all);
    add_shape_functions(all);
    add_quantization_functions(all);
    return all;
  }();
  return kFunctions;
}

OnnxValue compute(const onnx::NodeProto& node, const Values& values) {
  std::vector<OnnxValue> inputs;
  for (const std::string& name : node.input()) inputs.push_back(values.at(name));
  return functions().at(node.op_type())(OnnxCall(node, std::move(inputs)));
}

/// The model with nodes that do not depend on the images computed, and an output for each other.
struct Traced {
  onnx::ModelProto model;
  Values constants;
  std::vector<onnx::NodeProto> nodes;
};

Traced traced(const std::string& path) {
  Traced result;
  std::ifstream stream(path, std::ios::binary);
  EXPECT_TRUE(result.model.ParseFromIstream(&stream));
  onnx::GraphProto& graph = *result.model.mutable_graph();
  for (const onnx::TensorProto& tensor : graph.initializer()) {
    result.constants[tensor.name()] = to_value(tensor, "");
  }
  graph.clear_output();
  for (const onnx::NodeProto& node : graph.node()) {
    const bool is_constant =
        std::all_of(node.input().begin(), node.input().end(),
                    [&](const std::string& name) { return result.constants.count(name) > 0; });
    if (is_constant) {
      result.constants[node.output(0)] = compute(node, result.constants);
      continue;
    }
    result.nodes.push_back(node);
    graph.add_output()->set_name(node.output(0));
  }
  return result;
}

/// The bytes of a file as a value like `like`.
OnnxValue read_like(const OnnxValue& like, const std::string& path) {
  onnx::TensorProto tensor;
  tensor.set_data_type(like.type);
  for (const int64_t size : like.tensor.sizes()) tensor.add_dims(size);
  tensor.set_raw_data(support::content_of(path));
  return to_value(tensor, "");
}

void compare(const onnx::NodeProto& node, const OnnxValue& actual, const OnnxValue& expected,
             NodeComparison& result) {
  ++result.nodes;
  if (expected.type != onnx::TensorProto::FLOAT) {
    const auto count = actual.tensor.ne(expected.tensor).sum().item<int64_t>();
    if (count > 0 && result.differing_codes == 0) result.first_differing = node.name();
    result.differing_codes += count;
    return;
  }
  const double largest = expected.tensor.abs().max().item<double>();
  const double difference =
      actual.tensor.sub(expected.tensor).abs().max().item<double>() / std::max(largest, 1e-30);
  if (difference <= result.largest_difference) return;
  result.largest_difference = difference;
  result.at = node.name() + " (" + node.op_type() + ")";
}

}  // namespace

NodeComparison compare_nodes(const std::string& model, const at::Tensor& images) {
  const Traced trace = traced(model);
  const support::TemporaryFolder folder;
  const OnnxRuntimeJob job{"node", folder.write("traced.onnx", trace.model.SerializeAsString()),
                           images};
  run_in_onnx_runtime({job}, folder);
  Values values = trace.constants;
  values[trace.model.graph().input(0).name()] = {images};
  NodeComparison result;
  for (size_t i = 0; i < trace.nodes.size(); ++i) {
    const OnnxValue expected = compute(trace.nodes[i], values);
    OnnxValue& actual = values[trace.nodes[i].output(0)];
    actual = read_like(expected, folder.file("node." + std::to_string(i)));
    compare(trace.nodes[i], actual, expected, result);
  }
  return result;
}

}  // namespace ptq::exporting::testing
