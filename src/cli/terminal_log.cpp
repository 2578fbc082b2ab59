#include "cli/terminal_log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/one_line.h"
#include "base/text.h"

namespace ptq::cli {
namespace {

constexpr std::chrono::seconds kBetweenLines{10};

template <class Sink>
std::shared_ptr<spdlog::logger> make_logger(const char* pattern) {
  auto logger = std::make_shared<spdlog::logger>("ptq", std::make_shared<Sink>());
  logger->set_pattern(pattern);
  logger->flush_on(spdlog::level::info);
  return logger;
}

std::string bar(std::string_view stage, int64_t done, int64_t total) {
  constexpr int64_t kWidth = 30;
  const int64_t filled = total > 0 ? std::min(kWidth, kWidth * done / total) : kWidth;
  return std::string(stage) + " [" + std::string(static_cast<size_t>(filled), '#') +
         std::string(static_cast<size_t>(kWidth - filled), '.') + "] " + std::to_string(done) +
         " of " + std::to_string(total);
}

}  // namespace

TerminalLog::TerminalLog()
    : out_(make_logger<spdlog::sinks::stdout_sink_st>("%v")),
      err_(make_logger<spdlog::sinks::stderr_sink_st>("warning: %v")),
      terminal_(isatty(STDERR_FILENO) == 1),
      last_progress_(std::chrono::steady_clock::now()) {}

TerminalLog::~TerminalLog() { clear_bar(); }

void TerminalLog::line(const std::string& text) {
  clear_bar();
  out_->info(text);
}

void TerminalLog::warning(const std::string& text) {
  clear_bar();
  err_->warn(one_line(text));
}

void TerminalLog::progress(std::string_view stage, int64_t done, int64_t total) {
  if (terminal_) {
    std::fprintf(stderr, "\r\033[K%s", bar(stage, done, total).c_str());
    std::fflush(stderr);
    bar_shown_ = true;
    return;
  }
  const auto now = std::chrono::steady_clock::now();
  if (now - last_progress_ < kBetweenLines) return;
  last_progress_ = now;
  out_->info("{}: {} of {} images", stage, done, total);
}

void TerminalLog::stage_finished(std::string_view stage, double seconds) {
  line(std::string(stage) + ": " + fixed(seconds, 2) + " s");
}

void TerminalLog::clear_bar() {
  if (!bar_shown_) return;
  std::fprintf(stderr, "\r\033[K");
  std::fflush(stderr);
  bar_shown_ = false;
}

}  // namespace ptq::cli
