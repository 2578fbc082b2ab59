#include "export/onnx/model.h"

#include <ATen/ops/scalar_tensor.h>

#include "ptq/base/error.h"

namespace ptq::exporting {
namespace {

/// The version of the file format that came with an opset.
int ir_version_of(int opset) {
  if (opset <= 14) return 7;
  if (opset <= 18) return 8;
  if (opset <= 20) return 9;
  return 10;
}

struct SetAttribute {
  onnx::AttributeProto& proto;

  void operator()(int64_t value) const {
    proto.set_type(onnx::AttributeProto::INT);
    proto.set_i(value);
  }
  void operator()(double value) const {
    proto.set_type(onnx::AttributeProto::FLOAT);
    proto.set_f(static_cast<float>(value));
  }
  void operator()(const ir::Ints& values) const {
    proto.set_type(onnx::AttributeProto::INTS);
    for (const int64_t value : values) proto.add_ints(value);
  }
  void operator()(const std::string& value) const {
    proto.set_type(onnx::AttributeProto::STRING);
    proto.set_s(value);
  }
};

template <class T>
std::string bytes_of(const at::Tensor& codes) {
  const at::Tensor wide = codes.to(at::kInt).contiguous();
  const int* from = wide.data_ptr<int>();
  std::string bytes(static_cast<size_t>(wide.numel()) * sizeof(T), '\0');
  T* to = reinterpret_cast<T*>(bytes.data());
  for (int64_t i = 0; i < wide.numel(); ++i) to[i] = static_cast<T>(from[i]);
  return bytes;
}

/// Two codes a byte, the first in the low half.
std::string packed_in_halves(const at::Tensor& codes) {
  const std::string wide = bytes_of<int8_t>(codes);
  std::string bytes((wide.size() + 1) / 2, '\0');
  for (size_t i = 0; i < wide.size(); ++i) {
    const int half = (wide[i] & 0xF) << (i % 2 == 0 ? 0 : 4);
    bytes[i / 2] = static_cast<char>(bytes[i / 2] | half);
  }
  return bytes;
}

std::string bytes_of(const at::Tensor& codes, OnnxType type) {
  switch (static_cast<int>(type)) {
    case onnx::TensorProto::INT8:
    case onnx::TensorProto::UINT8:
      return bytes_of<uint8_t>(codes);
    case onnx::TensorProto::INT16:
    case onnx::TensorProto::UINT16:
      return bytes_of<uint16_t>(codes);
    case onnx::TensorProto::INT32:
      return bytes_of<int32_t>(codes);
    case kOnnxInt4:
    case kOnnxUint4:
      return packed_in_halves(codes);
    default:
      throw InternalError("no codes are written as ONNX type " + std::to_string(type));
  }
}

std::string bytes_of_floats(const at::Tensor& values) {
  const at::Tensor dense = values.to(at::kFloat).contiguous();
  return {reinterpret_cast<const char*>(dense.data_ptr<float>()),
          static_cast<size_t>(dense.numel()) * sizeof(float)};
}

}  // namespace

OnnxModel::OnnxModel(int opset) : opset_(opset) {
  proto_.set_ir_version(ir_version_of(opset));
  proto_.set_producer_name("ptq-eval");
  onnx::OperatorSetIdProto& standard = *proto_.add_opset_import();
  standard.set_domain("");
  standard.set_version(opset);
  proto_.mutable_graph()->set_name("quantized");
}

std::string OnnxModel::unique_name(const std::string& wanted) {
  std::string name = wanted;
  for (int suffix = 1; !names_.insert(name).second; ++suffix) {
    name = wanted + "_" + std::to_string(suffix);
  }
  return name;
}

std::string OnnxModel::add(OnnxNode node) {
  node.name = unique_name(node.name);
  add_under_own_name(node);
  return node.name;
}

void OnnxModel::add_under_own_name(const OnnxNode& node) {
  onnx::NodeProto& proto = *proto_.mutable_graph()->add_node();
  proto.set_op_type(node.op_type);
  proto.set_name(node.name);
  for (const std::string& input : node.inputs) proto.add_input(input);
  proto.add_output(node.name);
  for (const OnnxAttribute& attribute : node.attributes) {
    onnx::AttributeProto& to = *proto.add_attribute();
    to.set_name(attribute.name);
    std::visit(SetAttribute{to}, attribute.value);
  }
}

onnx::TensorProto& OnnxModel::add_tensor(const std::string& name, c10::IntArrayRef sizes,
                                         OnnxType type) {
  onnx::TensorProto& tensor = *proto_.mutable_graph()->add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(type);
  for (const int64_t size : sizes) tensor.add_dims(size);
  return tensor;
}

void OnnxModel::add_floats_under_own_name(const std::string& name, const at::Tensor& values) {
  add_tensor(name, values.sizes(), onnx::TensorProto::FLOAT).set_raw_data(bytes_of_floats(values));
}

std::string OnnxModel::add_floats(const std::string& name, const at::Tensor& values) {
  const std::string free = unique_name(name);
  add_floats_under_own_name(free, values);
  return free;
}

std::string OnnxModel::add_codes(const std::string& name, const at::Tensor& codes, OnnxType type) {
  onnx::TensorProto& tensor = add_tensor(unique_name(name), codes.sizes(), type);
  tensor.set_raw_data(bytes_of(codes, type));
  return tensor.name();
}

std::string OnnxModel::add_integers(const std::string& name, const ir::Ints& values) {
  onnx::TensorProto& tensor = add_tensor(unique_name(name), {static_cast<int64_t>(values.size())},
                                         onnx::TensorProto::INT64);
  for (const int64_t value : values) tensor.add_int64_data(value);
  return tensor.name();
}

std::string OnnxModel::add_number(const std::string& name, double value) {
  return add_floats(name, at::scalar_tensor(value));
}

void OnnxModel::set_float_type(onnx::ValueInfoProto& info, const std::string& name,
                               const ir::Dims& shape) {
  info.set_name(name);
  onnx::TypeProto::Tensor& type = *info.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx::TensorProto::FLOAT);
  for (const ir::Dim& dim : shape) {
    onnx::TensorShapeProto::Dimension& to = *type.mutable_shape()->add_dim();
    if (!dim.times_batch) to.set_dim_value(dim.value);
    if (dim.times_batch && dim.value == 1) to.set_dim_param("N");
  }
}

}  // namespace ptq::exporting
