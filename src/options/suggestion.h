#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ptq::options {

/// The one of `words` that looks most like `word`: at most a third of it, and three letters, would
/// have to change. Else the only one that begins like it; empty where there is none.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& words);

/// "; did you mean fx?", or nothing.
std::string suggestion(std::string_view word, const std::vector<std::string_view>& words);

}  // namespace ptq::options
