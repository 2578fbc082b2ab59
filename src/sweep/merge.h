#pragma once

#include <string>
#include <vector>

#include "sweep/text_table.h"

namespace ptq::sweep {

/// The rows of several tables (journals of shards, results), by model in the order of appearance
/// and then by number. Of rows with the same hashes and version one stays: the first that did not
/// fail. Columns are those of all, empty where a table has them not. Throws DataError naming a
/// table that is none of this program's.
TextTable merge_tables(const std::vector<std::string>& paths);

}  // namespace ptq::sweep
