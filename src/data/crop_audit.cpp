#include <algorithm>
#include <unordered_map>

#include "data/calibration_audit.h"

namespace ptq::data {
namespace {

using Pairs = std::vector<ContentAudit::Pair>;

const std::string& path_of(const Loader& loader, int64_t item) {
  return loader.folder().items.at(static_cast<size_t>(item)).path;
}

void add(Pairs& pairs, const std::string& path, const std::string& other) {
  const bool is_known = std::any_of(pairs.begin(), pairs.end(),
                                    [&](const auto& pair) { return pair.calibration == path; });
  if (!is_known) pairs.push_back({path, other});
}

}  // namespace

void add_equal_crops(ContentAudit& audit, const Loader& calibration, const Loader& validation) {
  std::unordered_map<uint64_t, int64_t> drawn, evaluated;
  for (const Loader::SeenCrop& crop : validation.seen_crops()) {
    evaluated.emplace(crop.hash, crop.item);
  }
  for (const Loader::SeenCrop& crop : calibration.seen_crops()) {
    const std::string& path = path_of(calibration, crop.item);
    const auto [earlier, is_new] = drawn.emplace(crop.hash, crop.item);
    if (!is_new) add(audit.duplicates, path, path_of(calibration, earlier->second));
    const auto other = evaluated.find(crop.hash);
    if (other != evaluated.end()) {
      add(audit.in_validation, path, path_of(validation, other->second));
    }
  }
}

}  // namespace ptq::data
