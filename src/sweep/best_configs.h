#pragma once

#include "sweep/text_table.h"

namespace ptq::sweep {

/// What hardware has to support: with the model, the columns that make a group.
const std::vector<std::string>& hardware_columns();

/// Of every model and combination of hardware features the rows with the highest top-1, all that
/// tie; rows that failed or saw a subset of the images do not count. By model, the best first, then
/// as in the table (reference-contract 8.2).
TextTable best_configs(const TextTable& results);

}  // namespace ptq::sweep
