#pragma once

#include <string>

#include "cli/run.h"
#include "cli/session.h"

namespace ptq::cli {

/// Keeps what a run says, and calls fields of the configuration by their flags.
class FlagLog final : public RecordingLog {
 public:
  FlagLog(Log& log, const options::Settings& settings) : RecordingLog(log), settings_(settings) {}

  /// Only about what somebody asked for.
  void no_effect(const std::string& field, const std::string& reason) override {
    const options::Option* option = options::option_of_field(field);
    if (option == nullptr) return warning(field + ": " + reason);
    if (settings_.given(option->name)) warning("--" + std::string(option->name) + ": " + reason);
  }

 private:
  const options::Settings& settings_;
};

/// One run: what was asked, where it talks, what it shares with other runs, what it found so far.
struct Run {
  const options::Settings& settings;
  const options::Config& config;
  RecordingLog& log;
  workflow::Session& session;
  RunResult result;
};

}  // namespace ptq::cli
