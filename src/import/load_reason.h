#pragma once

#include <exception>
#include <string>

namespace ptq::import {

/// Why LibTorch does not take a model file, in one sentence without a full stop. Names the operator
/// where the file was written by a newer LibTorch than this one.
std::string load_reason(const std::exception& error);

}  // namespace ptq::import
