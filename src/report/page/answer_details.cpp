#include "report/page/answer_details.h"

#include <algorithm>

namespace ptq::report {
namespace {

/// Labels beyond the folder's classes go by their number.
std::string name_of(const data::ImageFolder& folder, int64_t label) {
  const bool is_known = label >= 0 && label < static_cast<int64_t>(folder.classes.size());
  return is_known ? folder.classes[static_cast<size_t>(label)] : "class " + std::to_string(label);
}

/// Images that were right in float first, then those that are right now.
int order(const Flip& flip) {
  if (flip.in_float == flip.label) return 0;
  return flip.quantized == flip.label ? 1 : 2;
}

}  // namespace

void add_answer_details(RunResult& result, const data::ImageFolder& folder) {
  if (!result.details || !result.float_evaluation) return;
  const eval::Evaluation &before = *result.float_evaluation, &after = result.quantized;
  RunDetails& details = *result.details;
  std::vector<ClassDetail> by_label(folder.classes.size());
  for (size_t i = 0; i < after.items.size(); ++i) {
    const data::ImageFolder::Item& item = folder.items[static_cast<size_t>(after.items[i])];
    ClassDetail& its = by_label.at(static_cast<size_t>(item.label));
    ++its.count;
    its.right_in_float += before.right[i];
    its.right_quantized += after.right[i];
    const int64_t first = before.predictions[i], second = after.predictions[i];
    if (first == second) continue;
    details.flips.push_back({item.path, item.label, first, second, name_of(folder, item.label),
                             name_of(folder, first), name_of(folder, second)});
  }
  for (size_t label = 0; label < by_label.size(); ++label) {
    if (by_label[label].count == 0) continue;
    by_label[label].label = static_cast<int64_t>(label);
    by_label[label].name = folder.classes[label];
    details.classes.push_back(by_label[label]);
  }
  std::stable_sort(details.flips.begin(), details.flips.end(),
                   [](const Flip& a, const Flip& b) { return order(a) < order(b); });
}

}  // namespace ptq::report
