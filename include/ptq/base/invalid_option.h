#pragma once

#include <string>
#include <utility>

#include "ptq/base/error.h"

namespace ptq {

/// A field of a configuration, as a program writes it ("weights.bit_width"), and what is wrong with
/// it. The command line says which flag that is.
struct InvalidOption : ConfigError {
  /// `its_value`: what the field holds, where that says more.
  InvalidOption(const std::string& its_field, const std::string& its_reason,
                const std::string& its_value = "")
      : ConfigError(sentence(its_field, its_reason, its_value)),
        field(its_field),
        reason(its_reason),
        value(its_value) {}

  /// The sentence about it under another name.
  std::string under(const std::string& name) const { return sentence(name, reason, value); }

  std::string field, reason, value;

 private:
  static std::string sentence(const std::string& name, const std::string& why,
                              const std::string& held) {
    return name + (held.empty() ? "" : " " + held) + ": " + why;
  }
};

}  // namespace ptq
