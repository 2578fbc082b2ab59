#include "export/torchscript/script_builder.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdio>

namespace ptq::exporting {
namespace {

bool is_word_character(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

/// `path` fit for attributes: LibTorch writes their names down unquoted. Modules have a forward and
/// a training of their own.
std::string attribute_path(const std::string& path) {
  static const std::set<std::string> kReserved = {
      "False",   "None",     "True",     "and",    "as",      "assert",  "async",  "await",
      "break",   "class",    "continue", "def",    "del",     "elif",    "else",   "except",
      "finally", "for",      "from",     "global", "if",      "import",  "in",     "is",
      "lambda",  "nonlocal", "not",      "or",     "pass",    "raise",   "return", "try",
      "while",   "with",     "yield",    "print",  "forward", "training"};
  std::string fit;
  std::string part;
  for (const char c : path + ".") {
    if (c != '.') {
      part += is_word_character(c) || c == '_' ? c : '_';
      continue;
    }
    if (kReserved.count(part) != 0) part += '_';
    fit += (fit.empty() ? "" : ".") + part;
    part.clear();
  }
  return fit;
}

/// Quoted access also takes numbers.
std::string read_path(const std::string& path) {
  std::string expression = "self";
  size_t begin = 0;
  while (begin <= path.size()) {
    const size_t end = std::min(path.find('.', begin), path.size());
    expression = "getattr(" + expression + ", " + literal(path.substr(begin, end - begin)) + ")";
    begin = end + 1;
  }
  return expression;
}

template <class Taken>
std::string numbered(const std::string& wanted, Taken&& taken) {
  if (!taken(wanted)) return wanted;
  int number = 1;
  while (taken(wanted + "_" + std::to_string(number))) ++number;
  return wanted + "_" + std::to_string(number);
}

}  // namespace

std::string literal(int64_t value) { return std::to_string(value); }

std::string literal(double value) {
  if (std::isnan(value)) return "float(\"nan\")";
  if (std::isinf(value)) return value > 0 ? "float(\"inf\")" : "float(\"-inf\")";
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.17g", value);
  const std::string digits = text.data();
  return digits.find_first_of(".e") == std::string::npos ? digits + "." : digits;
}

std::string literal(bool value) { return value ? "True" : "False"; }

std::string literal(const std::string& value) {
  std::string quoted = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

std::string literal(const ir::Ints& values) {
  std::vector<std::string> elements;
  for (const int64_t value : values) elements.push_back(literal(value));
  return list(elements);
}

std::string list(const std::vector<std::string>& elements) {
  std::string text = "[";
  for (const std::string& element : elements) text += (text.size() > 1 ? ", " : "") + element;
  return text + "]";
}

std::string call(const std::string& function, const std::vector<std::string>& arguments) {
  std::string text = "torch." + function + "(";
  for (size_t i = 0; i < arguments.size(); ++i) text += (i > 0 ? ", " : "") + arguments[i];
  return text + ")";
}

std::string dtype_literal(at::ScalarType dtype) { return std::to_string(static_cast<int>(dtype)); }

ScriptBuilder::ScriptBuilder()
    : lines_("def forward(self, images):\n  batch = torch.size(images, 0)\n") {}

bool ScriptBuilder::is_below_a_tensor(const std::string& path) const {
  for (size_t dot = path.find('.'); dot != std::string::npos; dot = path.find('.', dot + 1)) {
    if (tensor_paths_.count(path.substr(0, dot)) != 0) return true;
  }
  return false;
}

// A node may be called like a tensor of another; its own tensors then lie at the top.
std::string ScriptBuilder::keep(const std::string& path, const at::Tensor& tensor) {
  std::string wanted = attribute_path(path);
  if (is_below_a_tensor(wanted)) std::replace(wanted.begin(), wanted.end(), '.', '_');
  const std::string free = numbered(wanted, [this](const std::string& taken) {
    return tensor_paths_.count(taken) != 0 || module_paths_.count(taken) != 0;
  });
  tensor_paths_.insert(free);
  for (size_t dot = free.find('.'); dot != std::string::npos; dot = free.find('.', dot + 1)) {
    module_paths_.insert(free.substr(0, dot));
  }
  tensors_.emplace_back(free, tensor);
  return read_path(free);
}

std::string ScriptBuilder::assign(const std::string& wanted, const std::string& expression) {
  std::string word = "x_";
  for (const char c : wanted) word += is_word_character(c) ? c : '_';
  const std::string name = numbered(
      word, [this](const std::string& taken) { return variable_names_.count(taken) != 0; });
  variable_names_.insert(name);
  lines_ += "  " + name + " = " + expression + "\n";
  return name;
}

std::string ScriptBuilder::dequantized(const std::string& codes, const std::string& scale,
                                       const std::string& zero_point) {
  const std::string floats = call("to", {codes, dtype_literal(at::kFloat)});
  return call("mul", {zero_point.empty() ? floats : call("sub", {floats, zero_point}), scale});
}

std::string ScriptBuilder::extent(const ir::Dim& dim) {
  return dim.times_batch ? "batch * " + literal(dim.value) : literal(dim.value);
}

std::string ScriptBuilder::extents(const ir::Dims& dims) {
  std::vector<std::string> elements;
  for (const ir::Dim& dim : dims) elements.push_back(extent(dim));
  return list(elements);
}

ScriptText ScriptBuilder::finish(const std::string& result) const {
  return {lines_ + "  return " + result + "\n", tensors_};
}

}  // namespace ptq::exporting
