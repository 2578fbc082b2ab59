#pragma once

#include <optional>
#include <string>

#include "ptq/base/log.h"
#include "sweep/expand.h"
#include "sweep/run_sweep.h"

/// The best configuration that a time budget finds.
namespace ptq::sweep {

/// `sweep` with the choices that are free on any hardware, where it does not name the option: how
/// scales are found, equalization, rounding, bias correction. Exclusions leave one technique of
/// rounding at a time.
Sweep with_free_techniques(Sweep sweep);

struct SearchReport {
  /// Best on the images of the search; its settings say nothing of images.
  Configuration winner;
  /// Images of the search, and others on which only the winner was evaluated.
  int64_t search_images = 0, held_out_images = 0;
  /// Right answers on the latter.
  int64_t held_out_correct = 0;
  /// Configurations that the last round could not tell from the winner (paired interval, 95 %).
  size_t as_good = 0;
  /// A row a configuration that was run, the last round's.
  TextTable results;
};

/// Successive halving (sweep/halving.h) over as many configurations as the time allows, drawn at
/// random (sweep/halving_time.h). A round drops those that are worse than its best one beyond
/// chance, and at least half. Part `held_out` of the validation images is kept aside for the
/// winner, so that choosing among many does not flatter its figure. Throws ConfigError for a sweep
/// of several models or on a shard, QuantizationError if all configurations failed.
SearchReport search(const Expansion& expansion, const SweepOptions& options, double held_out,
                    const SweepWorld& world, Log& log);

/// A file for --config with all that was chosen.
void write_winner(const std::string& path, const SearchReport& report);

}  // namespace ptq::sweep
