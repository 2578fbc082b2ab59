#pragma once

#include <string>
#include <vector>

#include "options/settings.h"

namespace ptq::sweep {

/// Each is held in memory with all its settings.
inline constexpr size_t kMostCombinations = 50'000;

/// Each combination is compared with the values of all exclusions.
inline constexpr size_t kMostExcludedValues = 1'000;

/// Values that an option takes one after the other.
struct Choice {
  const options::Option* option = nullptr;
  std::vector<options::Value> values;
};

/// Combinations in which every option has one of the values are left out.
struct Exclusion {
  std::vector<Choice> conditions;
  std::string reason;
};

/// What a sweep file says.
struct Sweep {
  /// One entry per model: options with one value each.
  std::vector<std::vector<Choice>> models;
  std::vector<Choice> options;
  std::vector<Exclusion> exclusions;
};

/// Reads a YAML file
///
///     models:    a model name, a .pt file, or a mapping of options, or a list of these
///     options:   a mapping from options to a value or a list of values; for options that take
///                several values, to a list or a list of lists
///     exclude:   a list of mappings as in `options`, each perhaps with `because: some words`
///
/// Options are those of ptq_imagenet_val, with dashes or underscores, except for those that name
/// output files. Throws ConfigError, one sentence naming file and key.
Sweep read_sweep_file(const std::string& path);

}  // namespace ptq::sweep
