#pragma once

#include <string>

namespace ptq {

/// A message as a terminal and a log may have it, whatever file its words come from: blanks in the
/// place of line breaks and other control characters, and the middle left out of a very long one.
std::string one_line(std::string text);

}  // namespace ptq
