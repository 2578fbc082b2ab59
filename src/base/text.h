#pragma once

#include <string>
#include <string_view>

/// Numbers and lists as text.
namespace ptq {

/// `value` with this many digits after the point.
std::string fixed(double value, int digits);

/// Three significant digits: 0.00123.
std::string significant(double value);

/// "12.500 %" for 0.125 and 3 digits.
std::string percent(double fraction, int digits);

/// In single quotes, in which YAML has no other special character.
std::string yaml_text(std::string_view text);

/// The words one after the other, with `between` between two of them.
template <class Words>
std::string joined(const Words& words, std::string_view between = ", ") {
  std::string text;
  bool first = true;
  for (const auto& word : words) {
    if (!first) text += between;
    first = false;
    text += word;
  }
  return text;
}

}  // namespace ptq
