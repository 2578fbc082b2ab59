#include "options/suggestion.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>

namespace ptq::options {
namespace {

constexpr size_t kMostEdits = 3;

/// Insertions, deletions, substitutions and swaps of neighbours between two words.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1), before, before_that;
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    before_that = std::exchange(before, row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = before[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({before[j] + 1, row[j - 1] + 1, substituted});
      const bool are_swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (are_swapped) row[j] = std::min(row[j], before_that[j - 2] + 1);
    }
  }
  return row.back();
}

/// Whether one begins with the other: asymmetric and asym.
bool begin_alike(std::string_view a, std::string_view b) {
  constexpr size_t kFewest = 3;
  const size_t length = std::min(a.size(), b.size());
  return length >= kFewest && a.substr(0, length) == b.substr(0, length);
}

/// The only one that begins like `word`.
std::string_view begins_alike(std::string_view word, const std::vector<std::string_view>& words) {
  const auto matches = [&](std::string_view candidate) { return begin_alike(word, candidate); };
  const auto found = std::find_if(words.begin(), words.end(), matches);
  const bool is_only = std::count_if(words.begin(), words.end(), matches) == 1;
  return is_only ? *found : std::string_view();
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
  return found.empty() ? begins_alike(word, words) : found;
}

std::string suggestion(std::string_view word, const std::vector<std::string_view>& words) {
  const std::string_view found = nearest(word, words);
  return found.empty() ? "" : "; did you mean " + std::string(found) + "?";
}

}  // namespace ptq::options
