#include "base/text.h"

#include <array>
#include <cstdio>

namespace ptq {
namespace {

std::string printed(const char* format, int digits, double value) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), format, digits, value);
  return text.data();
}

}  // namespace

std::string fixed(double value, int digits) { return printed("%.*f", digits, value); }

std::string significant(double value) { return printed("%.*g", 3, value); }

std::string percent(double fraction, int digits) { return fixed(100 * fraction, digits) + " %"; }

std::string yaml_text(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? "''" : std::string(1, c);
  return quoted + "'";
}

}  // namespace ptq
