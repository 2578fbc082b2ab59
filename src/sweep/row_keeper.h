#pragma once

#include <map>
#include <string>
#include <vector>

#include "sweep/journal.h"
#include "sweep/run_sweep.h"

namespace ptq::sweep {

/// Runs configurations and keeps their rows: what the journal has already is not run again.
class RowKeeper {
 public:
  RowKeeper(const Expansion& expansion, const SweepOptions& options, const SweepWorld& world,
            Log& log);

  using Row = std::vector<std::string>;

  /// The row of a configuration, from the journal or by running it; nullptr where it would have to
  /// be run and the time is over. `samples` images, or all.
  const Row* row_of(const Configuration& configuration, std::optional<int64_t> samples);

  /// Whether the row is there already.
  bool has_row_of(const Configuration& configuration, std::optional<int64_t> samples) const;

  /// Seconds until the time budget is spent; none without one.
  std::optional<double> seconds_left() const;

  const TextTable& journal() const { return journal_.table(); }

  /// For the count in the log: how many are to come.
  void expect(size_t count) { expected_ = count, done_ = 0; }

 private:
  static Configuration on_images(const Configuration& configuration,
                                 std::optional<int64_t> samples);
  Row run(const Configuration& configuration, const Identity& identity);
  void keep_files(options::Settings& settings, const Identity& identity, Outcome& outcome) const;
  void announce(const Row& row);

  const SweepOptions& options_;
  const SweepWorld& world_;
  Log& log_;
  Journal journal_;
  std::map<std::string, Row> rows_;
  double start_;
  size_t expected_ = 0, done_ = 0;
};

}  // namespace ptq::sweep
