#pragma once

#include <ATen/core/Tensor.h>
#include <onnx/onnx_pb.h>

#include <cstdint>
#include <string>
#include <unordered_set>
#include <variant>
#include <vector>

#include "ptq/ir/dim.h"
#include "ptq/ir/layers.h"

namespace ptq::exporting {

using OnnxType = onnx::TensorProto_DataType;

/// The types of opset 21 that the protobuf library of ONNX 1.12 has no name for.
inline constexpr OnnxType kOnnxUint4 = static_cast<OnnxType>(21);
inline constexpr OnnxType kOnnxInt4 = static_cast<OnnxType>(22);

struct OnnxAttribute {
  std::string name;
  std::variant<int64_t, double, ir::Ints, std::string> value;
};

struct OnnxNode {
  std::string op_type;
  /// Also of its one output.
  std::string name;
  std::vector<std::string> inputs;
  std::vector<OnnxAttribute> attributes = {};
};

/// An ONNX model while it is written: one graph, nodes in execution order. Every name is unique;
/// functions that add return the name that was free.
class OnnxModel {
 public:
  explicit OnnxModel(int opset);

  int opset() const { return opset_; }
  onnx::ModelProto& proto() { return proto_; }

  /// `wanted`, or `wanted_1`, `wanted_2`, ...; it is taken from now on.
  std::string unique_name(const std::string& wanted);

  /// A node under a name that is free; returns it.
  std::string add(OnnxNode node);
  /// A node under the very name, which unique_name() gave.
  void add_under_own_name(const OnnxNode& node);

  /// Initializers. `codes` holds whole numbers that `type` has, of any dtype.
  std::string add_floats(const std::string& name, const at::Tensor& values);
  void add_floats_under_own_name(const std::string& name, const at::Tensor& values);
  std::string add_codes(const std::string& name, const at::Tensor& codes, OnnxType type);
  std::string add_integers(const std::string& name, const ir::Ints& values);
  std::string add_number(const std::string& name, double value);

  /// Extents that grow with the batch are "N", or unnamed where they are a multiple of it.
  static void set_float_type(onnx::ValueInfoProto& info, const std::string& name,
                             const ir::Dims& shape);

 private:
  onnx::TensorProto& add_tensor(const std::string& name, c10::IntArrayRef sizes, OnnxType type);

  int opset_;
  onnx::ModelProto proto_;
  std::unordered_set<std::string> names_;
};

}  // namespace ptq::exporting
