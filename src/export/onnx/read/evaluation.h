#pragma once

#include <ATen/core/Tensor.h>
#include <onnx/onnx_pb.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

/// Computing ONNX nodes with ATen, from what the ONNX operator specifications say and nothing else.
namespace ptq::exporting {

/// A tensor with its ONNX type. Integers of up to 16 bits are held as int32.
struct OnnxValue {
  at::Tensor tensor;
  int type = onnx::TensorProto::FLOAT;
};

/// `folder` is where external data lies. Throws ExportError.
OnnxValue to_value(const onnx::TensorProto& tensor, const std::string& folder);

/// One node with the values of its inputs; those left out are undefined tensors.
class OnnxCall {
 public:
  OnnxCall(const onnx::NodeProto& node, std::vector<OnnxValue> inputs)
      : node_(node), inputs_(std::move(inputs)) {}

  const onnx::NodeProto& node() const { return node_; }
  size_t size() const { return inputs_.size(); }
  /// An input that may be left out.
  OnnxValue value(size_t i) const { return i < inputs_.size() ? inputs_[i] : OnnxValue(); }
  at::Tensor tensor(size_t i = 0) const { return value(i).tensor; }
  /// The numbers of an int64 input.
  std::vector<int64_t> numbers(size_t i) const;

  /// A dimension of the first input; those below 0 count from its last. Throws ExportError.
  int64_t dimension(int64_t axis) const;

  int64_t integer(const std::string& name, int64_t otherwise) const;
  double number(const std::string& name, double otherwise) const;
  std::vector<int64_t> integers(const std::string& name, std::vector<int64_t> otherwise) const;

 private:
  const onnx::AttributeProto* find(const std::string& name) const;

  const onnx::NodeProto& node_;
  std::vector<OnnxValue> inputs_;
};

using OnnxFunction = std::function<OnnxValue(const OnnxCall&)>;
using OnnxFunctions = std::map<std::string, OnnxFunction>;

void add_elementwise_functions(OnnxFunctions& functions);
void add_layer_functions(OnnxFunctions& functions);
void add_pool_functions(OnnxFunctions& functions);
void add_shape_functions(OnnxFunctions& functions);
void add_quantization_functions(OnnxFunctions& functions);

}  // namespace ptq::exporting
