#include "export/onnx/read/evaluation.h"

#include <ATen/ops/empty.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "ptq/base/error.h"

namespace ptq::exporting {
namespace {

std::string external_entry(const onnx::TensorProto& tensor, const std::string& key) {
  for (const onnx::StringStringEntryProto& entry : tensor.external_data()) {
    if (entry.key() == key) return entry.value();
  }
  throw ExportError("the tensor " + tensor.name() + " does not say its " + key);
}

std::string external_bytes(const onnx::TensorProto& tensor, const std::string& folder) {
  const auto path = std::filesystem::path(folder) / external_entry(tensor, "location");
  std::ifstream stream(path, std::ios::binary);
  std::string bytes(std::stoull(external_entry(tensor, "length")), '\0');
  stream.seekg(static_cast<std::streamoff>(std::stoull(external_entry(tensor, "offset"))));
  if (!stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()))) {
    throw ExportError(path.string() + " does not hold the tensor " + tensor.name());
  }
  return bytes;
}

/// The elements as they lie in `bytes`, widened to `To`.
template <class From, class To>
void widen(const std::string& bytes, at::Tensor& to) {
  if (bytes.size() != static_cast<size_t>(to.numel()) * sizeof(From)) {
    throw ExportError("a tensor has " + std::to_string(bytes.size()) + " bytes for " +
                      std::to_string(to.numel()) + " elements");
  }
  To* elements = to.data_ptr<To>();
  for (int64_t i = 0; i < to.numel(); ++i) {
    From element;
    std::memcpy(&element, bytes.data() + static_cast<size_t>(i) * sizeof(From), sizeof(From));
    elements[i] = static_cast<To>(element);
  }
}

/// Two elements a byte, the first in the low half.
void widen_halves(const std::string& bytes, bool is_signed, at::Tensor& to) {
  for (int64_t i = 0; i < to.numel(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes.at(static_cast<size_t>(i / 2)));
    const int half = (byte >> (i % 2 == 0 ? 0 : 4)) & 0xF;
    to.data_ptr<int>()[i] = is_signed && half >= 8 ? half - 16 : half;
  }
}

constexpr int kUint4 = 21;
constexpr int kInt4 = 22;

at::Tensor from_bytes(const std::string& bytes, int type, const std::vector<int64_t>& sizes) {
  const auto dtype = type == onnx::TensorProto::FLOAT   ? at::kFloat
                     : type == onnx::TensorProto::INT64 ? at::kLong
                                                        : at::kInt;
  at::Tensor to = at::empty(sizes, dtype);
  switch (type) {
    case onnx::TensorProto::FLOAT:
      return widen<float, float>(bytes, to), to;
    case onnx::TensorProto::INT64:
      return widen<int64_t, int64_t>(bytes, to), to;
    case onnx::TensorProto::INT32:
      return widen<int32_t, int32_t>(bytes, to), to;
    case onnx::TensorProto::INT16:
      return widen<int16_t, int32_t>(bytes, to), to;
    case onnx::TensorProto::UINT16:
      return widen<uint16_t, int32_t>(bytes, to), to;
    case onnx::TensorProto::INT8:
      return widen<int8_t, int32_t>(bytes, to), to;
    case onnx::TensorProto::UINT8:
      return widen<uint8_t, int32_t>(bytes, to), to;
    case kInt4:
    case kUint4:
      return widen_halves(bytes, type == kInt4, to), to;
    default:
      throw ExportError("tensors of ONNX type " + std::to_string(type) + " cannot be read");
  }
}

}  // namespace

OnnxValue to_value(const onnx::TensorProto& tensor, const std::string& folder) {
  const std::vector<int64_t> sizes(tensor.dims().begin(), tensor.dims().end());
  if (tensor.data_location() == onnx::TensorProto::EXTERNAL) {
    return {from_bytes(external_bytes(tensor, folder), tensor.data_type(), sizes),
            tensor.data_type()};
  }
  if (tensor.int64_data_size() > 0) {
    const auto& data = tensor.int64_data();
    const std::string bytes(reinterpret_cast<const char*>(data.data()),
                            static_cast<size_t>(data.size()) * sizeof(int64_t));
    return {from_bytes(bytes, tensor.data_type(), sizes), tensor.data_type()};
  }
  return {from_bytes(tensor.raw_data(), tensor.data_type(), sizes), tensor.data_type()};
}

const onnx::AttributeProto* OnnxCall::find(const std::string& name) const {
  for (const onnx::AttributeProto& attribute : node_.attribute()) {
    if (attribute.name() == name) return &attribute;
  }
  return nullptr;
}

std::vector<int64_t> OnnxCall::numbers(size_t i) const {
  const at::Tensor values = tensor(i).contiguous();
  const int64_t* data = values.data_ptr<int64_t>();
  return {data, data + values.numel()};
}

int64_t OnnxCall::integer(const std::string& name, int64_t otherwise) const {
  const onnx::AttributeProto* attribute = find(name);
  return attribute == nullptr ? otherwise : attribute->i();
}

double OnnxCall::number(const std::string& name, double otherwise) const {
  const onnx::AttributeProto* attribute = find(name);
  return attribute == nullptr ? otherwise : static_cast<double>(attribute->f());
}

std::vector<int64_t> OnnxCall::integers(const std::string& name,
                                        std::vector<int64_t> otherwise) const {
  const onnx::AttributeProto* attribute = find(name);
  if (attribute == nullptr) return otherwise;
  return {attribute->ints().begin(), attribute->ints().end()};
}

}  // namespace ptq::exporting
