#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/run.h"
#include "sweep/expand.h"
#include "sweep/identity.h"
#include "sweep/text_table.h"

/// The rows of results.csv (docs/benchmark.md says what each column means).
namespace ptq::sweep {

/// What became of one configuration.
struct Outcome {
  /// None where it failed.
  std::optional<cli::RunResult> result;
  std::string error;
  double seconds = 0;
  /// Files kept, relative to the folder of the table; empty for none.
  std::string predictions, quantizers;
};

/// Columns of options that the reference's tables have: names with underscores.
const std::vector<std::string>& reference_columns();

/// All columns of a sweep over these options.
std::vector<std::string> result_columns(const std::vector<std::string_view>& swept);

/// Its status is done, failed, or subset: of a row of halving that saw some images only.
std::vector<std::string> result_row(const std::vector<std::string>& columns,
                                    const Configuration& configuration, const Identity& identity,
                                    const Outcome& outcome);

/// Who a row is a result of: its hashes and the version of the program.
std::string identity_key(const Identity& identity);
std::string identity_key(const TextTable& table, const std::vector<std::string>& row);

/// A run may be a result today that was a round of halving, or the other way round, and may have
/// had another number in an earlier sweep: makes its row say what it is, and returns whether it
/// said otherwise.
bool bring_up_to_date(const TextTable& table, std::vector<std::string>& row,
                      const Configuration& configuration);

bool is_failed(const TextTable& table, const std::vector<std::string>& row);

}  // namespace ptq::sweep
