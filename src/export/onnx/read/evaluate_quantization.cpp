#include <ATen/ops/round.h>

#include <cmath>

#include "export/onnx/read/evaluation.h"
#include "ptq/base/error.h"

namespace ptq::exporting {
namespace {

struct CodeRange {
  double lowest, highest;
};

CodeRange range_of(int type) {
  switch (type) {
    case onnx::TensorProto::INT8:
      return {-128, 127};
    case onnx::TensorProto::UINT8:
      return {0, 255};
    case onnx::TensorProto::INT16:
      return {-32768, 32767};
    case onnx::TensorProto::UINT16:
      return {0, 65535};
    default:
      throw ExportError("integers of ONNX type " + std::to_string(type) + " cannot be made");
  }
}

/// Scales or zero points, [C] or [], against `x`: along the axis.
at::Tensor along_axis(const OnnxCall& call, const at::Tensor& parameters) {
  if (parameters.dim() == 0) return parameters;
  const int64_t rank = call.tensor().dim();
  std::vector<int64_t> sizes(static_cast<size_t>(rank), 1);
  sizes[static_cast<size_t>(call.dimension(call.integer("axis", 1)))] = parameters.numel();
  return parameters.reshape(sizes);
}

/// clip(round(x / scale) + zero_point): unlike THE equation of this project the zero point comes
/// after rounding (reference-contract 7.3).
OnnxValue quantize_linear(const OnnxCall& call) {
  const OnnxValue zero_point = call.value(2);
  const int type = zero_point.tensor.defined() ? zero_point.type : int{onnx::TensorProto::UINT8};
  const CodeRange range = range_of(type);
  at::Tensor codes = at::round(call.tensor().div(along_axis(call, call.tensor(1))));
  if (zero_point.tensor.defined()) codes = codes.add(along_axis(call, zero_point.tensor));
  return {codes.clamp(range.lowest, range.highest).to(at::kInt), type};
}

OnnxValue dequantize_linear(const OnnxCall& call) {
  at::Tensor codes = call.tensor();
  const at::Tensor zero_point = call.tensor(2);
  if (zero_point.defined()) codes = codes.sub(along_axis(call, zero_point));
  return {codes.to(at::kFloat).mul(along_axis(call, call.tensor(1)))};
}

}  // namespace

void add_quantization_functions(OnnxFunctions& functions) {
  functions["QuantizeLinear"] = quantize_linear;
  functions["DequantizeLinear"] = dequantize_linear;
}

}  // namespace ptq::exporting
