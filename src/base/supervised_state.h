#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>

namespace ptq {

/// What the two processes know in common: memory that both see. All of it may be read in a signal
/// handler.
struct SupervisedState {
  static constexpr size_t kFiles = 64;
  static constexpr size_t kProcesses = 16;
  static constexpr size_t kLongestPath = 4096;
  static constexpr size_t kLongestSentence = 2048;

  struct File {
    std::atomic<bool> taken;
    std::atomic<bool> there;
    char path[kLongestPath];
  };

  std::atomic<bool> finished;
  std::atomic<int> exit_code;

  std::atomic<bool> at_risk;
  int risk_code;
  double risk_seconds;
  double risk_started;
  char crash_sentence[kLongestSentence];
  char time_sentence[kLongestSentence];

  File files[kFiles];
  std::atomic<pid_t> processes[kProcesses];
};

/// nullptr in a process that nobody supervises.
SupervisedState* supervised_state();
void set_supervised_state(SupervisedState* state);

/// Ends its processes and removes its files and folders.
void clean_up(SupervisedState& state);

/// The same, but for folders that are not empty. Safe in a signal handler.
void clean_up_in_handler(SupervisedState& state);

/// Seconds of processor that the first thread of a process has used; 0 if nobody knows.
double processor_seconds(pid_t process);

}  // namespace ptq
