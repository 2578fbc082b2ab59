#pragma once

#include <optional>
#include <string>
#include <vector>

#include "eval/gate.h"

/// Comparing two tables of results, or two files of predictions, row by row.
namespace ptq::eval {

struct ComparisonRow {
  std::string name;
  Verdict verdict = Verdict::kInconclusive;
  /// None where there is nothing to compare.
  std::optional<Judgement> judgement;
  /// The judgement in words, or why there is none.
  std::string words;
};

struct TableComparison {
  std::vector<ComparisonRow> rows;
  /// Configurations of only the new table; they decide nothing.
  std::vector<std::string> only_new;

  /// kFail if one row fails, else kInconclusive if one row is.
  Verdict verdict() const;
};

/// Compares `new_file` with `old_file`, both CSV: predictions (eval/predictions.h), or results of a
/// sweep, whose columns are known by name. Rows of results belong together if configuration_hash,
/// model_hash and data_hash are equal where both tables have these columns, else if all columns
/// that are not results are. They are compared image by image if both have a file in the column
/// `predictions` (its path relative to the table), else by `correct` and `count`. A row that the
/// new table lacks is inconclusive; one that has an `error` there and had none fails.
///
/// If no row's accuracy dropped by more than the rule allows, any of them fails with probability
/// 1 - confidence at most (Holm's correction, eval/holm.h): a row that would fail alone but not as
/// one of so many is inconclusive. Passes need none: a comparison passes only if each row does.
///
/// Throws DataError naming the file for one that cannot be read or is neither, for tables of which
/// no row belongs together, and for predictions on other images.
TableComparison compare_files(const std::string& old_file, const std::string& new_file,
                              const GateRule& rule);

}  // namespace ptq::eval
