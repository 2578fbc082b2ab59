#pragma once

#include <c10/util/ArrayRef.h>

#include <cstdint>
#include <string>

namespace ptq::import {

/// "[2, 3, 224, 224]"
std::string shape_text(c10::IntArrayRef shape);

/// `module` and `word` joined by a dot; `word` alone in the root module.
std::string join_path(const std::string& module, const std::string& word);

}  // namespace ptq::import
