#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sweep/sweep_file.h"

namespace ptq::sweep {

struct Configuration {
  /// From 1, in the order of the file: models outermost, the last option innermost. Combinations
  /// that are skipped have numbers too.
  int64_t number = 0;
  options::Settings settings;
  /// On fewer images than were asked for: a round of halving.
  bool is_on_subset = false;
};

struct Skipped {
  int64_t number = 0;
  /// The options with several values: `weight-bit-width=4 gptq=on`.
  std::string combination;
  std::string reason;
};

struct Expansion {
  std::vector<Configuration> configurations;
  std::vector<Skipped> skipped;
  /// Options with several values, by their names in the table of options.
  std::vector<std::string_view> swept;
};

/// All combinations of the sweep, and those that make no sense: excluded by the file, refused by
/// the table of combinations (docs/combinations.md), or equal to an earlier one. What
/// `command_line` gives replaces the file's values. Throws ConfigError if nothing is left.
Expansion expand(const Sweep& sweep, const options::Settings& command_line);

/// Positions of the configurations in an order in which those that share stages of a run
/// (options/option_levels.h) follow each other: a walk through the tree of stages, depth first.
/// Innermost are those that differ in activations alone: a session keeps every calibration, but
/// the rounded weights of one configuration.
std::vector<size_t> tree_order(const std::vector<Configuration>& configurations);

}  // namespace ptq::sweep
