#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ptq/quantize_config.h"

namespace ptq::workflow {

struct SharedStages;

/// What a quantization starts from, as far as another one can share its stages: text that is equal
/// for equal inputs. Empty texts share nothing.
struct Source {
  /// The imported graph, and how it runs.
  std::string graph;
  /// The calibration images and their batches.
  std::string images;
  /// Whether the graph clamps (ir/clamp.h), as far as is known.
  bool has_clamps = true;
};

/// A quantization that may come.
struct Announced {
  Source source;
  QuantizeConfig config;
};

/// What quantizations of one process share: decoded images, the imported graph, the float network's
/// answers, the prepared graph, calibrated activation scales. A stage whose part of the
/// configuration is that of an earlier one gives what it gave then, bit for bit, and takes no time.
/// Of most stages only the last is kept, so quantizations that agree should follow each other.
class Session {
 public:
  /// kOne keeps nothing that a single quantization does not need.
  enum class Runs { kOne, kMany };

  explicit Session(Runs runs = Runs::kOne);
  ~Session();

  /// Those whose calibration sees the same network on the same images (they differ in percentile,
  /// symmetry, kind of scale, ...) are calibrated by the passes of the first. Replaces what was
  /// announced before.
  void announce(std::vector<Announced> announced);

  SharedStages& stages() { return *stages_; }

 private:
  std::unique_ptr<SharedStages> stages_;
};

}  // namespace ptq::workflow
