#include "data/calibration_audit.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/text.h"

namespace ptq::data {
namespace {

double share(int64_t part, int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

/// Classes that have no names but their numbers.
bool is_numbered(const ImageFolder& folder) {
  if (!folder.is_labelled()) return false;
  for (size_t i = 0; i < folder.classes.size(); ++i) {
    if (folder.classes[i] != std::to_string(i)) return false;
  }
  return true;
}

/// By what classes of two folders are the same: their names, or their numbers where one of the
/// folders has no names (a list of labels beside class folders).
enum class Sameness { kName, kNumber };

std::string name_of(const ImageFolder& folder, int64_t item, Sameness sameness) {
  const int64_t label = folder.items.at(static_cast<size_t>(item)).label;
  return sameness == Sameness::kNumber ? std::to_string(label)
                                       : folder.classes.at(static_cast<size_t>(label));
}

std::map<std::string, ClassAudit::Count> counts_by_name(const ImageFolder& calibration,
                                                        const std::vector<int64_t>& drawn,
                                                        const ImageFolder& validation) {
  const bool by_number = is_numbered(calibration) || is_numbered(validation);
  const Sameness sameness = by_number ? Sameness::kNumber : Sameness::kName;
  std::map<std::string, ClassAudit::Count> counts;
  for (const int64_t item : drawn) ++counts[name_of(calibration, item, sameness)].calibration;
  for (size_t i = 0; i < validation.items.size(); ++i) {
    ++counts[name_of(validation, static_cast<int64_t>(i), sameness)].validation;
  }
  return counts;
}

/// Adds up what one class contributes. `spread` is 1/n + 1/m.
void add(ClassAudit& audit, const ClassAudit::Count& count, int64_t evaluated, double spread) {
  const double drawn = share(count.calibration, audit.images);
  const double together = share(count.calibration + count.validation, audit.images + evaluated);
  audit.calibration_classes += count.calibration > 0 ? 1 : 0;
  audit.validation_classes += count.validation > 0 ? 1 : 0;
  audit.covered += count.calibration > 0 && count.validation > 0 ? 1 : 0;
  if (audit.images > 0) audit.distance += std::abs(drawn - share(count.validation, evaluated)) / 2;
  audit.usual_distance += std::sqrt(together * (1 - together) * spread) / 2;
  if (drawn > 0) audit.effective_classes -= drawn * std::log(drawn);
}

std::string images(size_t count) {
  return std::to_string(count) + (count == 1 ? " calibration image" : " calibration images");
}

}  // namespace

ClassAudit audit_classes(const ImageFolder& calibration, std::vector<int64_t> drawn,
                         const ImageFolder& validation) {
  if (!calibration.is_labelled()) drawn.clear();
  ClassAudit audit;
  audit.images = static_cast<int64_t>(drawn.size());
  const auto evaluated = static_cast<int64_t>(validation.items.size());
  const double spread = share(1, audit.images) + share(1, evaluated);
  audit.usual_distance = std::sqrt(std::log(1000.0) * spread / 2);
  for (auto& [name, count] : counts_by_name(calibration, drawn, validation)) {
    count.name = name;
    add(audit, count, evaluated, spread);
    audit.classes.push_back(count);
  }
  audit.effective_classes = drawn.empty() ? 0 : std::exp(audit.effective_classes);
  return audit;
}

std::vector<std::string> warnings_of(const ClassAudit& audit) {
  if (audit.images == 0 || audit.validation_classes < 2) return {};
  if (audit.covered == 0) {
    return {"no calibration image is of a class that validation has"};
  }
  if (audit.calibration_classes == 1) {
    return {"all " + images(static_cast<size_t>(audit.images)) +
            " are of one class, validation has " + std::to_string(audit.validation_classes)};
  }
  if (audit.distance <= audit.usual_distance) return {};
  return {"calibration images are far from the classes of validation: " +
          std::to_string(audit.covered) + " of " + std::to_string(audit.validation_classes) +
          " classes, distance " + fixed(audit.distance, 2) + " where chance stays below " +
          fixed(audit.usual_distance, 2)};
}

std::vector<std::string> warnings_of(const ContentAudit& audit) {
  std::vector<std::string> sentences;
  if (!audit.duplicates.empty()) {
    const ContentAudit::Pair& first = audit.duplicates.front();
    sentences.push_back(images(audit.duplicates.size()) + " occurring twice, first " +
                        first.calibration + " as " + first.other);
  }
  if (!audit.in_validation.empty()) {
    const ContentAudit::Pair& first = audit.in_validation.front();
    sentences.push_back(images(audit.in_validation.size()) + " also used for validation, first " +
                        first.calibration + " as " + first.other);
  }
  return sentences;
}

}  // namespace ptq::data
