#pragma once

#include <optional>
#include <regex>
#include <string>

namespace ptq {

/// A regular expression that a user wrote, which takes time in proportion to the text it searches.
/// Nothing for one that is none, that refers back to a group, or that is longer or nests deeper
/// than std::regex, which recurses, gets through.
std::optional<std::regex> compile_pattern(const std::string& text);

}  // namespace ptq
