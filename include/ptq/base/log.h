#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

/// How the library says what it does. It prints nothing itself.
namespace ptq {

/// Where work says what it does and how far it is.
class Log {
 public:
  virtual ~Log() = default;
  virtual void line(const std::string& text) = 0;
  /// Something the user should not overlook.
  virtual void warning(const std::string& text) = 0;
  /// A technique that was asked for found nothing to do. `field` is that of the configuration.
  virtual void no_effect(const std::string& field, const std::string& reason) {
    warning(field + ": " + reason);
  }
  /// `done` of at most `total` images of a stage; called after each batch.
  virtual void progress(std::string_view stage, int64_t done, int64_t total) = 0;
  virtual void stage_finished(std::string_view stage, double seconds) = 0;
};

/// Says nothing.
class Silence : public Log {
 public:
  void line(const std::string& /*text*/) override {}
  void warning(const std::string& /*text*/) override {}
  void progress(std::string_view /*stage*/, int64_t /*done*/, int64_t /*total*/) override {}
  void no_effect(const std::string& /*field*/, const std::string& /*reason*/) override {}
  void stage_finished(std::string_view /*stage*/, double /*seconds*/) override {}
};

/// Passes on how far work is, and nothing else.
class ProgressOnly final : public Silence {
 public:
  /// `log` outlives it. `prefix` stands before the names of stages.
  explicit ProgressOnly(Log& log, std::string prefix = {})
      : log_(log), prefix_(std::move(prefix)) {}
  void progress(std::string_view stage, int64_t done, int64_t total) override {
    log_.progress(prefix_ + std::string(stage), done, total);
  }

 private:
  Log& log_;
  std::string prefix_;
};

struct Stage {
  std::string name;
  double seconds = 0;
};

/// Passes everything on, and keeps stages and warnings.
class RecordingLog : public Log {
 public:
  /// `log` outlives it.
  explicit RecordingLog(Log& log) : log_(log) {}
  void line(const std::string& text) override { log_.line(text); }
  void warning(const std::string& text) override {
    warnings.push_back(text);
    log_.warning(text);
  }
  void progress(std::string_view stage, int64_t done, int64_t total) override {
    log_.progress(stage, done, total);
  }
  void stage_finished(std::string_view stage, double seconds) override {
    stages.push_back({std::string(stage), seconds});
    log_.stage_finished(stage, seconds);
  }

  std::vector<Stage> stages;
  std::vector<std::string> warnings;

 private:
  Log& log_;
};

/// Does `work` as a stage of that name and returns what it returns.
template <class Work>
auto timed(Log& log, std::string_view stage, Work&& work) {
  const auto start = std::chrono::steady_clock::now();
  const auto finish = [&] {
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
    log.stage_finished(stage, time.count());
  };
  if constexpr (std::is_void_v<decltype(work())>) {
    work();
    finish();
  } else {
    auto made = work();
    finish();
    return made;
  }
}

}  // namespace ptq
