#include <algorithm>

#include "options/table/option_rows.h"

namespace ptq::options {
namespace {

void append(Rows& rows, Group group, Rows more) {
  for (Option& option : more) {
    option.group = group;
    rows.push_back(std::move(option));
  }
}

Rows all_options() {
  Rows rows;
  append(rows, Group::kModel, model_options());
  append(rows, Group::kData, data_options());
  append(rows, Group::kData, recipe_options());
  append(rows, Group::kQuantization, quantization_options());
  append(rows, Group::kQuantization, symmetry_options());
  append(rows, Group::kQuantization, scale_options());
  append(rows, Group::kQuantization, range_options());
  append(rows, Group::kQuantization, number_format_options());
  append(rows, Group::kQuantization, bit_options());
  append(rows, Group::kTechniques, equalization_options());
  append(rows, Group::kTechniques, splitting_options());
  append(rows, Group::kTechniques, gpxq_options());
  append(rows, Group::kTechniques, accumulator_options());
  append(rows, Group::kTechniques, learned_round_options());
  append(rows, Group::kTechniques, learning_options());
  append(rows, Group::kRun, run_options());
  append(rows, Group::kGate, gate_options());
  append(rows, Group::kOutput, output_options());
  append(rows, Group::kOutput, bit_output_options());
  return rows;
}

}  // namespace

const std::vector<Option>& option_table() {
  static const Rows rows = all_options();
  return rows;
}

const Option* find_option(std::string_view name) {
  const Rows& rows = option_table();
  const auto found = std::find_if(rows.begin(), rows.end(),
                                  [&](const Option& option) { return option.name == name; });
  return found == rows.end() ? nullptr : &*found;
}

const Option* option_of_field(std::string_view field) {
  const Rows& rows = option_table();
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const Option& option) {
    return !option.field.empty() && option.field == field;
  });
  return found == rows.end() ? nullptr : &*found;
}

}  // namespace ptq::options
