#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ptq::cli {

/// Where a run says what it does. The run itself prints nothing.
class RunLog {
 public:
  virtual ~RunLog() = default;

  virtual void line(const std::string& text) = 0;

  /// Something the user should not overlook.
  virtual void warning(const std::string& text) = 0;

  /// `done` of at most `total` images of a stage; called after each batch.
  virtual void progress(std::string_view stage, int64_t done, int64_t total) = 0;

  virtual void stage_finished(std::string_view stage, double seconds) = 0;
};

}  // namespace ptq::cli
