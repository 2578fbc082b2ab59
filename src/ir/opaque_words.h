#pragma once

#include <string_view>

#include "ptq/ir/op.h"

/// What an Opaque says in words and numbers.
namespace ptq::ir {

/// "masked_fill" of "aten::masked_fill".
inline std::string_view plain_name(const Opaque& op) {
  const std::string_view name = op.schema;
  const size_t colons = name.find("::");
  return colons == std::string_view::npos ? name : name.substr(colons + 2);
}

/// The number that an argument is; 0 if it is none.
inline double number_in(const Argument& argument) {
  if (const auto* number = std::get_if<double>(&argument)) return *number;
  const auto* whole = std::get_if<Dim>(&argument);
  return whole != nullptr ? static_cast<double>(whole->value) : 0;
}

}  // namespace ptq::ir
