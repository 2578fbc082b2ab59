#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "export/onnx/read/evaluation.h"

namespace ptq::exporting {

using OnnxValues = std::unordered_map<std::string, OnnxValue>;

/// The model in a file. Throws ExportError naming it if there is none.
onnx::ModelProto read_onnx_model(const std::string& path);

/// A model of one input and one output, ready to be computed node by node: what does not depend on
/// the input is.
class OnnxProgram {
 public:
  /// Throws ExportError naming the file and what of it cannot be read.
  explicit OnnxProgram(const std::string& path);
  OnnxProgram(const OnnxProgram&) = delete;
  OnnxProgram& operator=(const OnnxProgram&) = delete;

  const std::string& input() const { return model_.graph().input(0).name(); }
  const std::string& output() const { return model_.graph().output(0).name(); }
  /// Those that depend on the input, in the order of execution.
  const std::vector<const onnx::NodeProto*>& nodes() const { return nodes_; }
  /// Reads the node's inputs from `values` and the constants. Throws ExportError.
  OnnxValue compute(const onnx::NodeProto& node, const OnnxValues& values) const;

 private:
  void read_constants();
  void compute_constants();

  std::string path_;
  onnx::ModelProto model_;
  OnnxValues constants_;
  std::vector<const onnx::NodeProto*> nodes_;
};

}  // namespace ptq::exporting
