#pragma once

#include <string>

namespace ptq::data {

/// A text file's bytes as UTF-8 without a byte order mark. UTF-16 is known by its mark; anything
/// else is left as it is. Half a surrogate pair becomes U+FFFD.
std::string to_utf8(const std::string& bytes);

}  // namespace ptq::data
