#include "base/supervisor.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <new>

#include "base/limits.h"
#include "base/supervised_state.h"
#include "ptq/base/error.h"

namespace ptq {
namespace {

constexpr int kAskToEnd[] = {SIGINT, SIGTERM, SIGHUP};

bool asks_to_end(int signal) {
  for (const int one : kAskToEnd) {
    if (one == signal) return true;
  }
  return false;
}

sigset_t waited_for() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  for (const int signal : kAskToEnd) sigaddset(&set, signal);
  return set;
}

SupervisedState* make_state() {
  void* memory = mmap(nullptr, sizeof(SupervisedState), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : new (memory) SupervisedState;
}

/// Ends as if nobody had caught it, but leaves nothing behind.
void end_by(int signal) {
  clean_up_in_handler(*supervised_state());
  ::signal(signal, SIG_DFL);
  raise(signal);
}

/// Of the child: dies with its parent, and tidies up when asked to end.
void become_supervised(SupervisedState* state, pid_t parent, const sigset_t& blocked) {
  set_supervised_state(state);
  for (const int signal : kAskToEnd) {
    struct sigaction before {};
    sigaction(signal, nullptr, &before);
    // nohup has it ignored, and that holds.
    if (before.sa_handler != SIG_IGN) ::signal(signal, end_by);
  }
  // Writing to a pipe that nobody reads is an error like any other.
  ::signal(SIGPIPE, SIG_IGN);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  sigprocmask(SIG_UNBLOCK, &blocked, nullptr);
  if (getppid() != parent) raise(SIGTERM);
}

bool out_of_time(const SupervisedState& state, pid_t child) {
  return state.at_risk && state.risk_seconds > 0 &&
         processor_seconds(child) - state.risk_started > state.risk_seconds;
}

/// Waits for the child; hands signals on to it, and stops it where its time is over.
int wait_for(pid_t child, const sigset_t& signals, const SupervisedState& state, bool& stopped) {
  constexpr timespec kBetweenLooks{0, 200'000'000};
  for (;;) {
    int status = 0;
    const pid_t ended = waitpid(child, &status, WNOHANG);
    if (ended == child) return status;
    const int signal = sigtimedwait(&signals, nullptr, &kBetweenLooks);
    if (signal > 0 && asks_to_end(signal)) kill(child, signal);
    if (signal < 0 && !stopped && out_of_time(state, child)) {
      stopped = true;
      kill(child, SIGKILL);
    }
  }
}

Ending system_ending(const std::string& sentence) {
  return {static_cast<int>(ExitCode::kSystem), sentence, 0};
}

Ending ending_of_signal(const SupervisedState& state, int signal) {
  if (asks_to_end(signal)) return {128 + signal, "", signal};
  if (signal == SIGKILL) {
    return system_ending("the program was killed, as the system does when memory runs out; " +
                         memory_advice());
  }
  const std::string crash = std::string(strsignal(signal)) + ", signal " + std::to_string(signal);
  // Want of memory shows in other signals than arithmetic.
  const bool limited = signal != SIGFPE && (memory_is_limited() || processes_are_limited());
  if (state.at_risk && !limited) {
    return {state.risk_code, std::string(state.crash_sentence) + " (" + crash + ")", 0};
  }
  if (limited && memory_is_limited()) {
    return system_ending("a library crashed (" + crash + ") where " + memory_limits() + "; " +
                         memory_advice());
  }
  if (limited) {
    return system_ending("a library crashed (" + crash + ") where the shell allows few processes " +
                         "and threads (ulimit -u); --threads 1 --workers 1 needs the fewest");
  }
  return {static_cast<int>(ExitCode::kInternal),
          "the program crashed (" + crash + "), which is a mistake in it: please report it", 0};
}

Ending ending_of(const SupervisedState& state, int status, bool stopped) {
  if (state.finished) return {state.exit_code, "", 0};
  if (stopped) return {state.risk_code, state.time_sentence, 0};
  if (WIFSIGNALED(status)) return ending_of_signal(state, WTERMSIG(status));
  // libgomp ends a program by exit(1) where a thread cannot be started.
  return system_ending(
      "a library ended the program (exit code " + std::to_string(WEXITSTATUS(status)) +
      "), as happens where no thread can be started; --threads 1 --workers 1 needs the fewest");
}

}  // namespace

Ending supervise(const std::function<int()>& program) {
  SupervisedState* state = make_state();
  const sigset_t signals = waited_for();
  const pid_t parent = getpid();
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  const pid_t child = state == nullptr ? -1 : fork();
  if (child < 0) {
    return system_ending(std::string("no process can be started: ") + std::strerror(errno) +
                         " (ulimit -u, ulimit -v)");
  }
  if (child == 0) {
    become_supervised(state, parent, signals);
    const int code = program();
    state->exit_code = code;
    state->finished = true;
    return {code, "", 0};
  }
  bool stopped = false;
  const int status = wait_for(child, signals, *state, stopped);
  clean_up(*state);
  sigprocmask(SIG_UNBLOCK, &signals, nullptr);
  return ending_of(*state, status, stopped);
}

}  // namespace ptq
