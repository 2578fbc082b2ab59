#include "cli/stages/calibration_draws.h"

#include "ptq/base/error.h"

namespace ptq::cli {
namespace {

/// The same run with another draw: it writes nothing and judges nothing.
options::Settings with_seed(const options::Settings& settings, int64_t seed) {
  options::Settings other = settings;
  for (const options::Option& option : options::option_table()) {
    const bool is_output =
        option.group == options::Group::kOutput || option.group == options::Group::kGate;
    const bool is_our_own =
        option.name == "repeat-calibration" || option.name == "audit-calibration";
    if (is_output || is_our_own) {
      other.set(option, options::default_value(option), options::Source::kCommandLine);
    }
  }
  other.set(*options::find_option("skip-float"), true, options::Source::kCommandLine);
  other.set(*options::find_option("seed"), seed, options::Source::kCommandLine);
  return other;
}

}  // namespace

void check_draws(const options::Config& config, int64_t calibration_images, int64_t available) {
  if (config.calibration_draws < 2) return;
  const std::string flag =
      "--repeat-calibration " + std::to_string(config.calibration_draws) + ": ";
  if (!needs_images(config.quantize)) {
    throw ConfigError(flag + "no option needs calibration images");
  }
  if (calibration_images < available) return;
  throw ConfigError(flag + "all " + std::to_string(available) + " images of " +
                    config.calibration_dir +
                    " are used, so that every draw is the same; ask for fewer with "
                    "--calibration-samples");
}

void repeat_calibration(Run& run, Session& session) {
  const int64_t count = run.config.calibration_draws;
  if (count < 2) return;
  CalibrationDraws draws;
  timed(run.log, "repeated calibration", [&] {
    for (int64_t i = 0; i < count; ++i) {
      const int64_t seed = run.settings.integer("seed") + i;
      draws.seeds.push_back(seed);
      if (i == 0) {
        draws.top1.push_back(run.result.quantized.accuracy.top1());
        continue;
      }
      ProgressOnly log(run.log, "draw " + std::to_string(i + 1) + ", ");
      draws.top1.push_back(
          ptq::cli::run(with_seed(run.settings, seed), session, log).quantized.accuracy.top1());
    }
  });
  run.result.draws = std::move(draws);
}

}  // namespace ptq::cli
