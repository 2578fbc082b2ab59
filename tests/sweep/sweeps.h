#pragma once

#include <map>
#include <string>
#include <vector>

#include "support/temporary_folder.h"
#include "sweep/run_sweep.h"

namespace ptq::sweep {

inline Sweep sweep_of(const std::string& yaml) {
  const support::TemporaryFolder folder;
  return read_sweep_file(folder.write("sweep.yaml", yaml));
}

inline Expansion expansion_of(const std::string& yaml) { return expand(sweep_of(yaml), {}); }

/// Keeps what is said.
class KeptLog final : public Log {
 public:
  void line(const std::string& text) override { lines.push_back(text); }
  void warning(const std::string& text) override { lines.push_back(text); }
  void progress(std::string_view /*stage*/, int64_t /*done*/, int64_t /*total*/) override {}
  void stage_finished(std::string_view /*stage*/, double /*seconds*/) override {}

  std::vector<std::string> lines;
};

/// Runs that only pretend: top-1 of N images is weight bits per cent, a run takes as many seconds
/// as it has hundreds of images, and one of 5 bits fails.
class PretendedWorld {
 public:
  SweepWorld world() {
    return {[this](const options::Settings& settings) { return run(settings); },
            [this] { return now; }, identity,
            [this](const options::Settings& settings) {
              return settings.integer_or_none("validation-samples").value_or(images);
            },
            [this](const std::vector<options::Settings>& to_come) {
              announced.emplace_back();
              for (const options::Settings& settings : to_come) {
                announced.back().push_back(settings.integer("weight-bit-width"));
              }
            }};
  }

  static Identity identity(const options::Settings& settings) {
    return {settings.text("model-name"), "validation", "calibration",
            options::to_text(settings.value("weight-bit-width")) + "/" +
                options::to_text(settings.value("act-bit-width")) + "/" +
                options::to_text(settings.value("validation-samples")) + "/" +
                options::to_text(settings.value("validation-skip"))};
  }

  double now = 0;
  int64_t images = 1000;
  /// Weight bits in the order of the runs.
  std::vector<int64_t> ran;
  std::vector<int64_t> counts, skipped;
  /// Weight bits that each part of a sweep announced.
  std::vector<std::vector<int64_t>> announced;

 private:
  cli::RunResult run(const options::Settings& settings);
};

}  // namespace ptq::sweep
