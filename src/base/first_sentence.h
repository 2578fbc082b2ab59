#pragma once

#include <exception>
#include <string>

namespace ptq {

/// What LibTorch complains about, in one line: no C++ backtrace, no source excerpt, no full stop.
std::string first_sentence(const std::exception& error);

}  // namespace ptq
