#pragma once

#include <optional>
#include <regex>
#include <string>

namespace ptq {

/// A regular expression that a user wrote. Nothing for one that is none, or that is longer or nests
/// deeper than std::regex, which recurses, gets through.
std::optional<std::regex> compile_pattern(const std::string& text);

}  // namespace ptq
