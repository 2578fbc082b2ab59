#include <onnx/checker.h>
#include <onnx/shape_inference/implementation.h>

#include <exception>

#include "export/onnx/file.h"
#include "ptq/base/error.h"

namespace ptq::exporting {
namespace {

/// What version 1.12 of the library knows.
constexpr int kKnownOpset = 17;
constexpr int kKnownIrVersion = 8;

/// A large tensor as a graph input of its type: neither check looks at its numbers.
void declare(const onnx::TensorProto& tensor, onnx::GraphProto& graph) {
  onnx::ValueInfoProto& input = *graph.add_input();
  input.set_name(tensor.name());
  onnx::TypeProto::Tensor& type = *input.mutable_type()->mutable_tensor_type();
  type.set_elem_type(tensor.data_type());
  type.mutable_shape();
  for (const int64_t size : tensor.dims()) type.mutable_shape()->add_dim()->set_dim_value(size);
}

/// The model without its weights.
onnx::ModelProto outline(const onnx::ModelProto& model) {
  onnx::ModelProto result;
  result.set_ir_version(model.ir_version());
  *result.mutable_opset_import() = model.opset_import();
  const onnx::GraphProto& from = model.graph();
  onnx::GraphProto& graph = *result.mutable_graph();
  graph.set_name(from.name());
  *graph.mutable_node() = from.node();
  *graph.mutable_input() = from.input();
  *graph.mutable_output() = from.output();
  *graph.mutable_value_info() = from.value_info();
  for (const onnx::TensorProto& tensor : from.initializer()) {
    const bool is_large = tensor.raw_data().size() >= kSmallTensor;
    is_large ? declare(tensor, graph) : void(*graph.add_initializer() = tensor);
  }
  return result;
}

const onnx::TensorProto* find_initializer(const onnx::GraphProto& graph, const std::string& name) {
  for (const onnx::TensorProto& tensor : graph.initializer()) {
    if (tensor.name() == name) return &tensor;
  }
  return nullptr;
}

bool reduces(const std::string& op_type) {
  return op_type == "ReduceMean" || op_type == "ReduceL2" || op_type == "ReduceMax" ||
         op_type == "ReduceMin";
}

/// The axes of reductions are an input since opset 18, those of sums since 13.
void lower_to_known_opset(onnx::ModelProto& model) {
  model.set_ir_version(kKnownIrVersion);
  model.mutable_opset_import(0)->set_version(kKnownOpset);
  for (onnx::NodeProto& node : *model.mutable_graph()->mutable_node()) {
    if (!reduces(node.op_type()) || node.input_size() < 2) continue;
    onnx::AttributeProto& axes = *node.add_attribute();
    axes.set_name("axes");
    axes.set_type(onnx::AttributeProto::INTS);
    *axes.mutable_ints() = find_initializer(model.graph(), node.input(1))->int64_data();
    node.mutable_input()->RemoveLast();
  }
}

}  // namespace

void check_onnx_model(const onnx::ModelProto& model, const std::string& path) {
  onnx::ModelProto checked = outline(model);
  const bool is_known = model.opset_import(0).version() <= kKnownOpset;
  if (!is_known) lower_to_known_opset(checked);
  const bool is_whole = is_known && model.ByteSizeLong() <= static_cast<size_t>(kLargestOnnxFile);
  try {
    onnx::checker::check_model(is_whole ? model : checked);
    constexpr int kThrow = 1;
    onnx::shape_inference::InferShapes(checked, onnx::OpSchemaRegistry::Instance(),
                                       {is_known, kThrow, true});
  } catch (const std::exception& error) {
    throw InternalError(path + " would not be a valid ONNX model: " + error.what());
  }
}

}  // namespace ptq::exporting
