#pragma once

#include <string>
#include <utility>

#include "ptq/base/error.h"

namespace ptq {

/// A field of a configuration, as a program writes it ("weights.bit_width"), and what is wrong with
/// it. The command line says which flag that is.
struct InvalidOption : ConfigError {
  InvalidOption(std::string invalid_field, const std::string& why)
      : ConfigError(invalid_field + ": " + why), field(std::move(invalid_field)), reason(why) {}

  std::string field;
  std::string reason;
};

}  // namespace ptq
