#pragma once

#include <string_view>
#include <vector>

#include "options/option.h"

/// How the rows of the option table are written, and its parts by group.
namespace ptq::options {

using Rows = std::vector<Option>;

inline Option row(std::string_view name, ValueType type, std::string_view value,
                  std::string_view help) {
  Option option;
  option.name = name;
  option.type = type;
  option.default_value = value;
  option.help = help;
  option.accepts_none = value == "None";
  return option;
}

inline Option text(std::string_view name, std::string_view value, std::string_view help) {
  return row(name, ValueType::kText, value, help);
}
inline Option texts(std::string_view name, std::string_view value, std::string_view help) {
  return row(name, ValueType::kTexts, value, help);
}
inline Option integer(std::string_view name, std::string_view value, std::string_view help) {
  return row(name, ValueType::kInteger, value, help);
}
inline Option number(std::string_view name, std::string_view value, std::string_view help) {
  return row(name, ValueType::kNumber, value, help);
}
inline Option numbers(std::string_view name, std::string_view value, std::string_view help) {
  return row(name, ValueType::kNumbers, value, help);
}
inline Option a_switch(std::string_view name, std::string_view help) {
  return row(name, ValueType::kSwitch, "off", help);
}
inline Option on_off(std::string_view name, std::string_view value, std::string_view help) {
  return row(name, ValueType::kOnOff, value, help);
}

Rows model_options();
Rows data_options();
/// How images become inputs.
Rows recipe_options();
Rows quantization_options();
Rows symmetry_options();
/// What shares a scale, and how it is found.
Rows scale_options();
/// Which values a quantizer covers, and what is left unquantized.
Rows range_options();
Rows number_format_options();
/// Sensitivities, and bits within budgets.
Rows bit_options();
/// What is measured of them, and written where.
Rows bit_output_options();
/// Techniques on the graph: before quantization, and those that correct it.
Rows equalization_options();
Rows splitting_options();
/// GPTQ, GPFQ, Qronos.
Rows gpxq_options();
/// What bounds their sums and their memory.
Rows accumulator_options();
Rows learned_round_options();
/// How it learns.
Rows learning_options();
Rows run_options();
Rows gate_options();
Rows output_options();

}  // namespace ptq::options
