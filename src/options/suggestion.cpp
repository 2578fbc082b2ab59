#include "options/suggestion.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace ptq::options {
namespace {

constexpr size_t kMostEdits = 3;

/// Insertions, deletions and substitutions between two words.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row.back();
}

}  // namespace

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& words) {
  std::string_view found;
  size_t fewest = std::min(kMostEdits, (word.size() + 2) / 3) + 1;
  for (const std::string_view candidate : words) {
    const size_t edits = edit_distance(word, candidate);
    if (edits >= fewest) continue;
    fewest = edits;
    found = candidate;
  }
  return found;
}

std::string suggestion(std::string_view word, const std::vector<std::string_view>& words) {
  const std::string_view found = nearest(word, words);
  return found.empty() ? "" : "; did you mean " + std::string(found) + "?";
}

}  // namespace ptq::options
