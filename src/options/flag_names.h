#pragma once

#include <string>

#include "options/option.h"
#include "ptq/base/invalid_option.h"

namespace ptq::options {

/// What `work` returns. The library calls an option by its field: InvalidOption becomes a
/// ConfigError that begins with the flag.
template <class Work>
auto with_flags(Work&& work) {
  try {
    return work();
  } catch (const InvalidOption& error) {
    const Option* option = option_of_field(error.field);
    if (option == nullptr) throw;
    throw ConfigError(error.under("--" + std::string(option->name)));
  }
}

}  // namespace ptq::options
