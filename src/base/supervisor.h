#pragma once

#include <functional>
#include <string>

#include "ptq/base/error.h"

/// A program that says what happened even when it cannot: it works in a child process, and the
/// process that was started waits for it.
namespace ptq {

/// How the work ended.
struct Ending {
  int exit_code = 0;
  /// Why the work ended without a word of its own; empty where it spoke for itself.
  std::string sentence;
  /// Of SIGINT, SIGTERM or SIGHUP, the one that ended it: the program should end by the same; 0
  /// otherwise.
  int signal = 0;
};

/// Calls `program` in a child process. In the child it returns `program`'s result. In the process
/// that called, it returns how the child ended: by returning, by a crash (the sentence is that of
/// the Risk it was in), by a library that ended the program, or killed; and first removes the
/// temporary files and ends the processes that it left. Signals that ask to end are handed on. Call
/// it before any thread is started. Without a child (the system gives no process) the exit code is
/// ExitCode::kSystem.
Ending supervise(const std::function<int()>& program);

/// While it lives, a crash is put down to what it says: a library fed with a file, for example. Not
/// nested. Does nothing in a process that nobody supervises.
class Risk {
 public:
  /// `seconds` of this thread's processor are all that it may take; 0 for no limit. To be made on
  /// the thread that called `program`.
  Risk(ExitCode code, const std::string& crash_sentence, double seconds = 0,
       const std::string& time_sentence = {});
  ~Risk();
  Risk(const Risk&) = delete;
  Risk& operator=(const Risk&) = delete;
};

/// A file or folder that is to be removed, should the process die before this object does.
class TemporaryPath {
 public:
  explicit TemporaryPath(const std::string& path);
  ~TemporaryPath();
  TemporaryPath(const TemporaryPath&) = delete;
  TemporaryPath& operator=(const TemporaryPath&) = delete;

 private:
  int slot_;
};

/// The same for objects that keep the path themselves: from the one call to the other.
void expect_temporary(const std::string& path);
void forget_temporary(const std::string& path);

/// A process that is to be ended, should this one die before the object does.
class OwnedProcess {
 public:
  explicit OwnedProcess(int process);
  ~OwnedProcess();
  OwnedProcess(const OwnedProcess&) = delete;
  OwnedProcess& operator=(const OwnedProcess&) = delete;

 private:
  int slot_ = -1;
};

}  // namespace ptq
