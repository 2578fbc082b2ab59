#include "base/supervised_state.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/supervisor.h"

namespace ptq {
namespace {

SupervisedState* shared = nullptr;

void copy(char* target, size_t size, const std::string& text) {
  const size_t count = std::min(size - 1, text.size());
  std::memcpy(target, text.data(), count);
  target[count] = '\0';
}

void end_processes(SupervisedState& state) {
  for (std::atomic<pid_t>& process : state.processes) {
    const pid_t id = process.exchange(0);
    if (id > 0) kill(id, SIGKILL);
  }
}

/// -1 where there is no slot, or nobody to look at it.
int take_slot(const std::string& path) {
  if (shared == nullptr || path.size() >= SupervisedState::kLongestPath) return -1;
  for (size_t i = 0; i < SupervisedState::kFiles; ++i) {
    SupervisedState::File& file = shared->files[i];
    if (file.taken.exchange(true)) continue;
    copy(file.path, SupervisedState::kLongestPath, path);
    file.there = true;
    return static_cast<int>(i);
  }
  return -1;
}

void free_slot(int slot) {
  if (slot < 0) return;
  SupervisedState::File& file = shared->files[slot];
  file.there = false;
  file.taken = false;
}

}  // namespace

SupervisedState* supervised_state() { return shared; }
void set_supervised_state(SupervisedState* state) { shared = state; }

void clean_up(SupervisedState& state) {
  end_processes(state);
  for (SupervisedState::File& file : state.files) {
    std::error_code ignored;
    if (file.there.exchange(false)) std::filesystem::remove_all(file.path, ignored);
  }
}

void clean_up_in_handler(SupervisedState& state) {
  end_processes(state);
  for (SupervisedState::File& file : state.files) {
    // What stays is for the process that waits for this one.
    if (file.there && unlink(file.path) == 0) file.there = false;
  }
}

double processor_seconds(pid_t process) {
  const std::string id = std::to_string(process);
  std::ifstream file("/proc/" + id + "/task/" + id + "/stat");
  std::string text;
  std::getline(file, text);
  // The program's name, in brackets, may hold anything.
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return 0;
  text.erase(0, name_end + 1);
  constexpr int kFieldsBetween = 11;
  size_t at = 0;
  for (int i = 0; i < kFieldsBetween; ++i) at = text.find(' ', at) + 1;
  unsigned long long user = 0;
  unsigned long long system = 0;
  if (std::sscanf(text.c_str() + at, " %llu %llu", &user, &system) != 2) return 0;
  return static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

Risk::Risk(ExitCode code, const std::string& crash_sentence, double seconds,
           const std::string& time_sentence) {
  if (shared == nullptr) return;
  shared->risk_code = static_cast<int>(code);
  shared->risk_seconds = seconds;
  shared->risk_started = processor_seconds(getpid());
  copy(shared->crash_sentence, SupervisedState::kLongestSentence, crash_sentence);
  copy(shared->time_sentence, SupervisedState::kLongestSentence, time_sentence);
  shared->at_risk = true;
}

Risk::~Risk() {
  if (shared != nullptr) shared->at_risk = false;
}

TemporaryPath::TemporaryPath(const std::string& path) : slot_(take_slot(path)) {}
TemporaryPath::~TemporaryPath() { free_slot(slot_); }

void expect_temporary(const std::string& path) { take_slot(path); }

void forget_temporary(const std::string& path) {
  if (shared == nullptr) return;
  for (size_t i = 0; i < SupervisedState::kFiles; ++i) {
    const SupervisedState::File& file = shared->files[i];
    if (file.there && path == file.path) free_slot(static_cast<int>(i));
  }
}

OwnedProcess::OwnedProcess(int process) {
  if (shared == nullptr) return;
  for (size_t i = 0; i < SupervisedState::kProcesses; ++i) {
    pid_t nobody = 0;
    if (!shared->processes[i].compare_exchange_strong(nobody, process)) continue;
    slot_ = static_cast<int>(i);
    return;
  }
}

OwnedProcess::~OwnedProcess() {
  if (slot_ >= 0) shared->processes[slot_] = 0;
}

}  // namespace ptq
