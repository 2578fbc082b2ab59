#pragma once

#include <string>
#include <vector>

namespace ptq::testing {

struct Function {
  /// Where its body begins, counted from 1.
  int line = 0;
  /// From the line of the opening brace to that of the closing one.
  int lines = 0;
};

/// The functions that a source defines, outermost ones only: lambdas count with the function that
/// holds them. Counts braces and expects text that clang-format has laid out.
std::vector<Function> functions(const std::string& text);

}  // namespace ptq::testing
