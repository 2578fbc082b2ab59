#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ptq/base/log.h"
#include "sweep/expand.h"
#include "sweep/results.h"
#include "sweep/shard.h"

namespace ptq::sweep {

struct SweepOptions {
  /// Existing folder for the journal and all else.
  std::string output;
  Shard shard;
  /// Run configurations again whose row is a failure.
  bool retry_failed = false;
  bool halving = false;
  /// After so many seconds no configuration is begun.
  std::optional<double> time_budget;
  /// Keep each image's prediction, and each quantizer's scale.
  bool save_predictions = false;
  bool save_quantizers = false;
};

/// How one configuration is run, and what the time is; other ones are for tests.
struct SweepWorld {
  std::function<cli::RunResult(const options::Settings&)> run;
  /// Seconds since some moment.
  std::function<double()> clock;
  std::function<Identity(const options::Settings&)> identity;
  /// Images of a configuration's validation set.
  std::function<int64_t(const options::Settings&)> images;
  /// Hears of the runs that are to come (cli::Session::announce); may be empty.
  std::function<void(std::vector<options::Settings>)> announce = {};
};

/// Runs share a session, and say how far they are to `log`. It outlives the world.
SweepWorld real_world(Log& log);

struct SweepReport {
  /// One row per configuration of this shard that was run, now or earlier, by number: the
  /// evaluation on all images, or the last of halving's.
  TextTable results;
  /// Configurations that there was no time left for.
  size_t left = 0;
};

/// Runs the configurations that the journal in the output folder does not have yet, in an order in
/// which they share most. One that fails is a row with its error. Throws ConfigError where halving
/// is asked of a shard, DataError for images that are not there, and what Journal throws.
SweepReport run_sweep(const Expansion& expansion, const SweepOptions& options,
                      const SweepWorld& world, Log& log);

}  // namespace ptq::sweep
