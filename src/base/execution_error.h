#pragma once

#include <string>

#include "ptq/base/error.h"

namespace ptq {

/// A network that fails while it runs; the message names the node.
struct ExecutionError : Error {
  explicit ExecutionError(const std::string& message) : Error(ExitCode::kModel, message) {}
};

}  // namespace ptq
