#pragma once

#include <ATen/core/Tensor.h>

#include <string>

namespace ptq::exporting::testing {

/// How ONNX Runtime, without optimization, and the evaluator differ where both compute a node from
/// the very same inputs, those of ONNX Runtime.
struct NodeComparison {
  int nodes = 0;
  /// Codes of QuantizeLinear and Clip that differ, and the first node that has one.
  int64_t differing_codes = 0;
  std::string first_differing;
  /// Largest difference of another node's output, as a part of its largest number, and where.
  double largest_difference = 0;
  std::string at;
};

/// Needs ONNX Runtime (why_no_onnx_runtime).
NodeComparison compare_nodes(const std::string& model, const at::Tensor& images);

}  // namespace ptq::exporting::testing
