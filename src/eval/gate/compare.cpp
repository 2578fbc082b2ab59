#include "eval/compare.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include "base/input_file.h"
#include "eval/gate/results_table.h"
#include "eval/holm.h"
#include "eval/predictions.h"
#include "ptq/base/error.h"

namespace ptq::eval {
namespace {

using Keyed = std::map<std::string, const ResultRow*>;

bool holds_predictions(const std::string& path) {
  if (!input_obstacle(path).empty()) return false;  // said by who reads it
  std::ifstream file(path);
  std::string start(2, '\0');
  return file.read(start.data(), 2) && start == "# ";
}

/// The judgement of a row, and what else there is to say of the two results.
struct Judged {
  Judgement judgement;
  std::string remark;
};

Judged judged_predictions(const std::string& old_file, const std::string& new_file,
                          const GateRule& rule) {
  const Predictions before = read_predictions(old_file), now = read_predictions(new_file);
  const PairedPredictions paired = pair(old_file, before, now);
  return {judge(paired.baseline(), paired.now(), rule),
          arithmetic_difference(old_file, before.arithmetic, now.arithmetic)};
}

void set_judgement(ComparisonRow& row, const Judged& judged, const GateRule& rule) {
  row.judgement = judged.judgement;
  row.verdict = judged.judgement.verdict;
  row.words = words_of(judged.judgement, rule);
  if (!judged.remark.empty()) row.words += "; " + judged.remark;
}

std::string key_of(const ResultRow& row, const std::vector<std::string>& columns) {
  std::string key;
  for (const std::string& column : columns) key += row.field(column) + "\n";
  return key;
}

Keyed by_key(const ResultsTable& table, const std::vector<std::string>& columns) {
  Keyed keyed;
  for (const ResultRow& row : table.rows) {
    const auto [other, is_new] = keyed.emplace(key_of(row, columns), &row);
    if (!is_new) {
      throw DataError(row.place() + " is the same configuration as " + other->second->place());
    }
  }
  return keyed;
}

/// Relative to the table's folder; empty where the row has none.
std::string predictions_file(const ResultsTable& table, const ResultRow& row) {
  const std::string path = row.field("predictions");
  if (path.empty()) return path;
  return (std::filesystem::path(table.path).parent_path() / path).string();
}

Accuracy accuracy_of(const ResultRow& row) {
  Accuracy accuracy;
  accuracy.count = row.whole_number("count");
  accuracy.correct = row.whole_number("correct");
  if (accuracy.count >= 1 && accuracy.correct <= accuracy.count) return accuracy;
  throw DataError(row.place() + ": " + std::to_string(accuracy.correct) + " correct of " +
                  std::to_string(accuracy.count) + " images cannot be");
}

class Tables {
 public:
  Tables(const std::string& old_file, const std::string& new_file, const GateRule& rule)
      : old_(read_results(old_file)), new_(read_results(new_file)), rule_(rule) {}

  TableComparison compare() const {
    const std::vector<std::string> key = key_columns(old_, new_);
    const Keyed before = by_key(old_, key);
    const Keyed now = by_key(new_, key);
    const std::vector<std::string> names = name_columns(old_.rows.size() > 1 ? old_ : new_);
    TableComparison comparison;
    int64_t common = 0;
    // In the order of the old table.
    for (const ResultRow& row : old_.rows) {
      const auto found = now.find(key_of(row, key));
      common += found == now.end() ? 0 : 1;
      comparison.rows.push_back(compare_row(row, found == now.end() ? nullptr : found->second));
      comparison.rows.back().name = row_name(row, names);
    }
    keep_certain_fails(comparison.rows);
    if (common == 0) {
      throw DataError("no row of " + new_.path + " is a configuration of " + old_.path);
    }
    for (const ResultRow& row : new_.rows) {
      if (before.count(key_of(row, key)) == 0) comparison.only_new.push_back(row_name(row, names));
    }
    return comparison;
  }

 private:
  ComparisonRow compare_row(const ResultRow& before, const ResultRow* now) const {
    ComparisonRow row;
    if (now == nullptr) {
      row.words = "the new table has no such row";
    } else if (!before.field("error").empty()) {
      row.words = "there is no earlier result: " + before.field("error");
    } else if (!now->field("error").empty()) {
      row.verdict = Verdict::kFail;
      row.words = "the run failed: " + now->field("error");
    } else {
      set_judgement(row, judged(before, *now), rule_);
    }
    return row;
  }

  /// Of many rows whose drop is allowed some would fail by chance (docs/gate.md).
  void keep_certain_fails(std::vector<ComparisonRow>& rows) const {
    std::vector<ComparisonRow*> judged;
    for (ComparisonRow& row : rows) {
      if (row.judgement) judged.push_back(&row);
    }
    const auto fails = [&](size_t row, double level) {
      return judged[row]->verdict == Verdict::kFail &&
             verdict_at(*judged[row]->judgement, {rule_.max_drop, 1 - level}) == Verdict::kFail;
    };
    const std::vector<bool> certain = holm(judged.size(), 1 - rule_.confidence, fails);
    for (size_t i = 0; i < judged.size(); ++i) {
      if (judged[i]->verdict != Verdict::kFail || certain[i]) continue;
      judged[i]->verdict = Verdict::kInconclusive;
      judged[i]->words += "; it would fail by itself, but is one of " +
                          std::to_string(judged.size()) + " rows (Holm)";
    }
  }

  Judged judged(const ResultRow& before, const ResultRow& now) const {
    const std::string old_file = predictions_file(old_, before);
    const std::string new_file = predictions_file(new_, now);
    if (!old_file.empty() && !new_file.empty()) {
      return judged_predictions(old_file, new_file, rule_);
    }
    return {judge(accuracy_of(before), accuracy_of(now), rule_), ""};
  }

  ResultsTable old_, new_;
  GateRule rule_;
};

}  // namespace

Verdict TableComparison::verdict() const {
  const auto any = [&](Verdict verdict) {
    return std::any_of(rows.begin(), rows.end(),
                       [&](const ComparisonRow& row) { return row.verdict == verdict; });
  };
  if (any(Verdict::kFail)) return Verdict::kFail;
  return any(Verdict::kInconclusive) ? Verdict::kInconclusive : Verdict::kPass;
}

TableComparison compare_files(const std::string& old_file, const std::string& new_file,
                              const GateRule& rule) {
  if (holds_predictions(old_file) != holds_predictions(new_file)) {
    throw DataError("of " + old_file + " and " + new_file + " only one holds predictions");
  }
  if (!holds_predictions(old_file)) return Tables(old_file, new_file, rule).compare();
  ComparisonRow row;
  set_judgement(row, judged_predictions(old_file, new_file, rule), rule);
  row.name = new_file;
  return {{row}, {}};
}

}  // namespace ptq::eval
