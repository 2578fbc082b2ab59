#pragma once

#include <chrono>
#include <string>
#include <type_traits>
#include <utility>

#include "ptq/cli/run.h"

namespace ptq::cli {

struct SharedStages;

/// One run: what was asked, where it talks, what it shares with other runs, what it found so far.
struct Run {
  const Settings& settings;
  const Config& config;
  RunLog& log;
  SharedStages& shared;
  RunResult result;
};

/// Does `work` as a stage of that name and returns what it returns.
template <class Work>
auto timed(Run& run, const std::string& name, Work&& work) {
  struct Clock {
    Run& run;
    const std::string& name;
    std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
    void stop() const {
      const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
      run.result.stages.push_back({name, time.count()});
      run.log.stage_finished(name, time.count());
    }
  };
  const Clock clock{run, name};
  if constexpr (std::is_void_v<decltype(work())>) {
    work();
    clock.stop();
  } else {
    auto made = work();
    clock.stop();
    return made;
  }
}

inline void warn(Run& run, const std::string& sentence) {
  run.result.warnings.push_back(sentence);
  run.log.warning(sentence);
}

}  // namespace ptq::cli
