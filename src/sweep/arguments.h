#pragma once

#include <string>
#include <vector>

#include "options/settings.h"
#include "sweep/run_sweep.h"

namespace ptq::sweep {

enum class Command { kSweep, kList, kMerge, kHelp, kVersion };

struct Arguments {
  Command command = Command::kSweep;
  std::string sweep_file;
  /// Tables to merge.
  std::vector<std::string> tables;
  SweepOptions options;
  /// --search: the best configuration in the time there is; this part of the validation images is
  /// kept aside for it.
  bool search = false;
  double held_out = 0.5;
  /// Options of ptq_imagenet_val, instead of the file's.
  options::Settings settings;
};

/// `SWEEP.yaml [flags]` or `--merge A.csv B.csv ... --output DIR`. Throws ConfigError naming the
/// flag.
Arguments parse_arguments(int argc, const char* const* argv);

std::string help_text();

}  // namespace ptq::sweep
