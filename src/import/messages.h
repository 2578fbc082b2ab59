#pragma once

#include <c10/util/ArrayRef.h>

#include <cstdint>
#include <string>

#include "ptq/ir/graph.h"

namespace ptq::import {

/// "[2, 3, 224, 224]"
std::string shape_text(c10::IntArrayRef shape);

/// `module` and `word` joined by a dot; `word` alone in the root module.
std::string join_path(const std::string& module, const std::string& word);

/// "features.0.select (select)": a node and its operator.
std::string node_text(const ir::Node& node);

}  // namespace ptq::import
