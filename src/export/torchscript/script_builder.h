#pragma once

#include <ATen/core/Tensor.h>

#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ptq/ir/graph.h"

namespace ptq::exporting {

/// A forward method in TorchScript, and the tensors that it reads by their dotted path from the
/// module.
struct ScriptText {
  std::string forward;
  std::vector<std::pair<std::string, at::Tensor>> tensors;
};

/// Literals of the language.
std::string literal(int64_t value);
std::string literal(double value);
std::string literal(bool value);
std::string literal(const std::string& value);
std::string literal(const ir::Ints& values);
/// "[a, b]".
std::string list(const std::vector<std::string>& elements);
/// "torch.function(a, b)".
std::string call(const std::string& function, const std::vector<std::string>& arguments);
/// at::ScalarType as TorchScript counts it.
std::string dtype_literal(at::ScalarType dtype);

/// Writes a forward line by line.
class ScriptBuilder {
 public:
  ScriptBuilder();

  /// Keeps a tensor at `path`, or beside it where that is taken; returns how to read it.
  std::string keep(const std::string& path, const at::Tensor& tensor);

  /// Adds a line that gives `expression` a name that looks like `wanted`; returns the name.
  std::string assign(const std::string& wanted, const std::string& expression);

  /// (codes - zero_point) * scale, in float32. `zero_point` is empty for none.
  static std::string dequantized(const std::string& codes, const std::string& scale,
                                 const std::string& zero_point);

  void bind(ir::ValueId value, const std::string& variable) { variables_[value] = variable; }
  const std::string& variable(ir::ValueId value) const { return variables_.at(value); }
  static std::string images() { return "images"; }

  /// A number that may grow with the batch.
  static std::string extent(const ir::Dim& dim);
  static std::string extents(const ir::Dims& dims);

  /// Ends the method with `result`.
  ScriptText finish(const std::string& result) const;

 private:
  bool is_below_a_tensor(const std::string& path) const;

  std::string lines_;
  std::vector<std::pair<std::string, at::Tensor>> tensors_;
  std::unordered_map<ir::ValueId, std::string> variables_;
  std::set<std::string> variable_names_;
  std::set<std::string> tensor_paths_;
  std::set<std::string> module_paths_;
};

}  // namespace ptq::exporting
