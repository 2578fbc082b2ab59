#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ptq::options {

/// The one of `words` that looks most like `word`; empty where none does: more than a third of it
/// would have to change, or more than three letters.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& words);

/// "; did you mean fx?", or nothing.
std::string suggestion(std::string_view word, const std::vector<std::string_view>& words);

}  // namespace ptq::options
