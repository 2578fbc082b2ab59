#pragma once

#include <string>

#include "ptq/base/error.h"

namespace ptq {

/// Memory, threads or processes that the system does not give (EX_OSERR of sysexits.h).
inline constexpr ExitCode kSystem{71};

struct SystemError : Error {
  explicit SystemError(const std::string& message) : Error(kSystem, message) {}
};

}  // namespace ptq
