#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "ptq/base/log.h"

namespace spdlog {
class logger;
}

namespace ptq::cli {

/// Lines to standard output, warnings to standard error. Progress is a bar on standard error where
/// that is a terminal, else a line every ten seconds.
class TerminalLog final : public Log {
 public:
  TerminalLog();
  ~TerminalLog() override;

  void line(const std::string& text) override;
  void warning(const std::string& text) override;
  void progress(std::string_view stage, int64_t done, int64_t total) override;
  void stage_finished(std::string_view stage, double seconds) override;

 private:
  void clear_bar();

  std::shared_ptr<spdlog::logger> out_;
  std::shared_ptr<spdlog::logger> err_;
  bool terminal_;
  bool bar_shown_ = false;
  std::chrono::steady_clock::time_point last_progress_;
};

}  // namespace ptq::cli
