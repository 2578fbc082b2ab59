#pragma once

#include "ptq/cli/run.h"

namespace ptq::cli {

struct SharedStages;

/// One run: what was asked, where it talks, what it shares with other runs, what it found so far.
struct Run {
  const Settings& settings;
  const Config& config;
  RecordingLog& log;
  SharedStages& shared;
  RunResult result;
};

}  // namespace ptq::cli
