#include "export/onnx/read/evaluation.h"

#include <ATen/ops/empty.h>

#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "ptq/base/error.h"

namespace ptq::exporting {
namespace {

constexpr int kUint4 = 21;
constexpr int kInt4 = 22;

std::string external_entry(const onnx::TensorProto& tensor, const std::string& key) {
  for (const onnx::StringStringEntryProto& entry : tensor.external_data()) {
    if (entry.key() == key) return entry.value();
  }
  throw ExportError("the tensor " + tensor.name() + " does not say its " + key);
}

uint64_t external_number(const onnx::TensorProto& tensor, const std::string& key) {
  const std::string text = external_entry(tensor, key);
  uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  if (read.ec == std::errc() && read.ptr == end) return value;
  throw ExportError("the tensor " + tensor.name() + " has the " + key + " '" + text +
                    "', which is no number");
}

std::string external_bytes(const onnx::TensorProto& tensor, const std::string& folder) {
  const auto path = std::filesystem::path(folder) / external_entry(tensor, "location");
  const uint64_t length = external_number(tensor, "length");
  const uint64_t offset = external_number(tensor, "offset");
  std::error_code failure;
  const bool is_file = std::filesystem::is_regular_file(path, failure);
  const uint64_t size = is_file ? std::filesystem::file_size(path, failure) : 0;
  std::string bytes;
  if (offset <= size && length <= size - offset) {
    bytes.resize(length);
    std::ifstream stream(path, std::ios::binary);
    stream.seekg(static_cast<std::streamoff>(offset));
    if (stream.read(bytes.data(), static_cast<std::streamsize>(length))) return bytes;
  }
  throw ExportError(path.string() + " does not hold the tensor " + tensor.name());
}

/// Bits of an element in a file.
int64_t bits_of(int type) {
  switch (type) {
    case onnx::TensorProto::FLOAT:
    case onnx::TensorProto::INT32:
      return 32;
    case onnx::TensorProto::INT64:
      return 64;
    case onnx::TensorProto::INT16:
    case onnx::TensorProto::UINT16:
      return 16;
    case onnx::TensorProto::INT8:
    case onnx::TensorProto::UINT8:
      return 8;
    case kInt4:
    case kUint4:
      return 4;
    default:
      throw ExportError("tensors of ONNX type " + std::to_string(type) + " cannot be read");
  }
}

/// Before memory is made for as many elements as a file says.
void check_size(const std::string& bytes, int type, const std::vector<int64_t>& sizes) {
  const int64_t bits = bits_of(type);
  int64_t elements = 1;
  for (const int64_t size : sizes) {
    if (size < 0 || __builtin_mul_overflow(elements, size, &elements)) {
      throw ExportError("a tensor has an impossible shape");
    }
  }
  // An odd number of halves fills its last byte.
  const auto held = static_cast<int64_t>(bytes.size()) * 8 / bits;
  if (elements == held || (bits == 4 && elements + 1 == held)) return;
  throw ExportError("a tensor has " + std::to_string(bytes.size()) + " bytes for " +
                    std::to_string(elements) + " elements");
}

/// The elements as they lie in `bytes`, widened to `To`.
template <class From, class To>
void widen(const std::string& bytes, at::Tensor& to) {
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
    const auto byte = static_cast<unsigned char>(bytes[static_cast<size_t>(i / 2)]);
    const int half = (byte >> (i % 2 == 0 ? 0 : 4)) & 0xF;
    to.data_ptr<int>()[i] = is_signed && half >= 8 ? half - 16 : half;
  }
}

at::Tensor from_bytes(const std::string& bytes, int type, const std::vector<int64_t>& sizes) {
  check_size(bytes, type, sizes);
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
    default:
      return widen_halves(bytes, type == kInt4, to), to;
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

int64_t OnnxCall::dimension(int64_t axis) const {
  const int64_t rank = tensor().dim();
  if (axis < -rank || axis >= rank) {
    throw ExportError(node_.name() + ": its input has no dimension " + std::to_string(axis));
  }
  return axis < 0 ? axis + rank : axis;
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
