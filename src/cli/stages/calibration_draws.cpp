#include "cli/stages/calibration_draws.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "ptq/base/error.h"

namespace ptq::cli {
namespace {

/// The same run with another draw: it writes nothing and judges nothing.
Settings with_seed(const Settings& settings, int64_t seed) {
  Settings other = settings;
  for (const Option& option : option_table()) {
    const bool is_output = option.group == Group::kOutput || option.group == Group::kGate;
    const bool is_our_own =
        option.name == "repeat-calibration" || option.name == "audit-calibration";
    if (is_output || is_our_own) other.set(option, default_value(option), Source::kCommandLine);
  }
  other.set(*find_option("skip-float"), true, Source::kCommandLine);
  other.set(*find_option("seed"), seed, Source::kCommandLine);
  return other;
}

}  // namespace

double CalibrationDraws::mean() const {
  double sum = 0;
  for (const double each : top1) sum += each;
  return sum / static_cast<double>(top1.size());
}

double CalibrationDraws::deviation() const {
  double sum = 0;
  for (const double each : top1) sum += (each - mean()) * (each - mean());
  return std::sqrt(sum / static_cast<double>(top1.size() - 1));
}

double CalibrationDraws::low() const { return *std::min_element(top1.begin(), top1.end()); }
double CalibrationDraws::high() const { return *std::max_element(top1.begin(), top1.end()); }

void check_draws(const Config& config, int64_t calibration_images, int64_t available) {
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

std::string draws_words(const CalibrationDraws& draws) {
  return "draws       " + std::to_string(draws.top1.size()) + " calibration draws, seeds " +
         std::to_string(draws.seeds.front()) + " to " + std::to_string(draws.seeds.back()) +
         ": quantized top-1 " + percent(draws.mean(), 3) + " on average, standard deviation " +
         fixed(100 * draws.deviation(), 3) + " points, from " + percent(draws.low(), 3) + " to " +
         percent(draws.high(), 3);
}

}  // namespace ptq::cli
