// Runs that differ in how activations are calibrated, of one session: the first calibrates for all.
#include <gmock/gmock.h>

#include "cli/program_fixture.h"
#include "cli/session.h"
#include "sweep/sweeps.h"

namespace ptq::sweep {
namespace {

class SharedCalibration : public cli::Program {
 protected:
  std::vector<Configuration> configurations(const std::string& options) const {
    return expansion_of("models: {model: " + fixture("tiny.pt") +
                        ", resize: 32, crop: 32}\n"
                        "options:\n"
                        "  calibration-dir: " +
                        path("calibration") +
                        "\n"
                        "  validation-dir: " +
                        path("validation") + "\n" + options)
        .configurations;
  }

  /// How many of the runs calibrate themselves, given all are announced. Each writes scales equal
  /// to those of a run that is alone.
  int calibrations(const std::vector<Configuration>& all) {
    cli::Session session(cli::Session::Runs::kMany);
    std::vector<options::Settings> to_come;
    for (const Configuration& each : all) to_come.push_back(each.settings);
    session.announce(to_come);
    int count = 0;
    for (options::Settings settings : to_come) {
      write_scales_to(settings, "alone.json");
      cli::run(settings, log_);
      write_scales_to(settings, "shared.json");
      const cli::RunResult result = cli::run(settings, session, log_);
      EXPECT_EQ(support::content_of(path("alone.json")), support::content_of(path("shared.json")));
      for (const Stage& stage : result.stages) count += stage.name == "calibration" ? 1 : 0;
    }
    return count;
  }

  void write_scales_to(options::Settings& settings, const char* file) const {
    settings.set(*options::find_option("dump-quantizers"), path(file),
                 options::Source::kCommandLine);
  }

  KeptLog log_;
};

TEST_F(SharedCalibration, IsOnePassForAllPercentiles) {
  EXPECT_EQ(calibrations(configurations("  act-quant-percentile: [90, 99.9, 99.99, 99.999]\n")), 1);
}

TEST_F(SharedCalibration, IsOnePassForAllKindsOfScales) {
  EXPECT_EQ(calibrations(configurations("  act-quant-type: [sym, asym]\n"
                                        "  scale-factor-type: [float_scale, po2_scale]\n"
                                        "  act-quant-calibration-type: [stats, mse]\n")),
            1);
}

TEST_F(SharedCalibration, DoesNotReachBeyondTheNetwork) {
  EXPECT_EQ(calibrations(configurations("  target-backend: [fx, layerwise]\n")), 2);
  EXPECT_EQ(calibrations(configurations("  graph-eq-iterations: [0, 20]\n")), 2);
}

}  // namespace
}  // namespace ptq::sweep
