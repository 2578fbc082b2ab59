#pragma once

#include <vector>

#include "options/settings.h"
#include "workflow/session.h"

namespace ptq::cli {

/// What the runs of one process share (workflow/session.h).
class Session {
 public:
  using Runs = workflow::Session::Runs;

  explicit Session(Runs runs = Runs::kOne) : session_(runs) {}

  /// Runs that may come: those whose calibration sees the same network on the same images are
  /// calibrated by the passes of the first. Settings that make no configuration are passed over:
  /// their own run says what is wrong. Replaces what was announced before.
  void announce(const std::vector<options::Settings>& settings);

  workflow::Session& stages() { return session_; }

 private:
  workflow::Session session_;
};

}  // namespace ptq::cli
