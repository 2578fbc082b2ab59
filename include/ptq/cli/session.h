#pragma once

#include <memory>
#include <vector>

#include "ptq/cli/settings.h"

namespace ptq::cli {

struct SharedStages;

/// What the runs of one process share: decoded images, the imported graph, the float network's
/// answers, the prepared graph, calibrated activation scales. A stage whose options
/// (option_levels.h) are those of an earlier run gives what it gave then, bit for bit, and takes no
/// time. Of most stages only the last is kept, so runs that agree should follow each other.
class Session {
 public:
  /// kOne keeps nothing that a single run does not need.
  enum class Runs { kOne, kMany };
  explicit Session(Runs runs = Runs::kOne);
  ~Session();

  /// Runs that may come: those whose calibration sees the same network on the same images (they
  /// differ in percentile, symmetry, kind of scale, ...) are calibrated by the passes of the first.
  /// Replaces what was announced before.
  void announce(std::vector<Settings> settings);

  SharedStages& stages() { return *stages_; }

 private:
  std::unique_ptr<SharedStages> stages_;
};

}  // namespace ptq::cli
