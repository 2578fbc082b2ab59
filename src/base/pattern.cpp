#include "base/pattern.h"

#include <algorithm>

namespace ptq {

std::optional<std::regex> compile_pattern(const std::string& text) {
  constexpr size_t kLongest = 1000;
  constexpr int kDeepest = 50;
  int depth = 0;
  int deepest = 0;
  for (const char c : text) {
    if (c == '(') deepest = std::max(deepest, ++depth);
    if (c == ')') --depth;
  }
  if (text.size() > kLongest || deepest > kDeepest) return std::nullopt;
  try {
    // Of GCC's library: all ways are tried at once instead of one after the other, which takes
    // exponential time on "(a+)+$". References back to a group cannot be tried so.
    return std::regex(text, std::regex_constants::ECMAScript | std::regex_constants::__polynomial);
  } catch (const std::regex_error&) {
    return std::nullopt;
  }
}

}  // namespace ptq
