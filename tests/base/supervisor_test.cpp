#include "base/supervisor.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "ptq/base/error.h"
#include "support/temporary_folder.h"

namespace ptq {
namespace {

/// As a program sees it: what the child returns ends the child.
Ending supervised(const std::function<int()>& program) {
  const pid_t here = getpid();
  Ending ending = supervise(program);
  if (getpid() != here) _exit(ending.exit_code);
  return ending;
}

int number(ExitCode code) { return static_cast<int>(code); }

TEST(Supervisor, HandsOnWhatTheProgramReturns) {
  for (const int wanted : {0, 2, 66}) {
    const Ending ending = supervised([&] { return wanted; });
    EXPECT_EQ(ending.exit_code, wanted);
    EXPECT_EQ(ending.sentence, "");
  }
}

TEST(Supervisor, PutsACrashDownToTheRiskItHappenedIn) {
  const Ending ending = supervised([] {
    const Risk risk(ExitCode::kModel, "model.pt: LibTorch crashed");
    signal(SIGSEGV, SIG_DFL);
    return raise(SIGSEGV);
  });
  EXPECT_EQ(ending.exit_code, number(ExitCode::kModel));
  EXPECT_EQ(ending.sentence.rfind("model.pt: LibTorch crashed (", 0), 0U) << ending.sentence;
}

TEST(Supervisor, CallsAnyOtherCrashAMistakeOfTheProgram) {
  const Ending ending = supervised([] {
    { const Risk over(ExitCode::kModel, "model.pt: LibTorch crashed"); }
    signal(SIGABRT, SIG_DFL);
    return raise(SIGABRT);
  });
  EXPECT_EQ(ending.exit_code, number(ExitCode::kInternal));
  EXPECT_NE(ending.sentence.find("signal 6"), std::string::npos) << ending.sentence;
}

TEST(Supervisor, CallsAnEndByALibraryAMatterOfTheSystem) {
  const Ending ending = supervised([]() -> int { _exit(1); });
  EXPECT_EQ(ending.exit_code, number(ExitCode::kSystem));
  EXPECT_NE(ending.sentence.find("--threads 1"), std::string::npos) << ending.sentence;
}

TEST(Supervisor, CallsAKillAMatterOfMemory) {
  const Ending ending = supervised([] { return kill(getpid(), SIGKILL); });
  EXPECT_EQ(ending.exit_code, number(ExitCode::kSystem));
  EXPECT_NE(ending.sentence.find("memory"), std::string::npos) << ending.sentence;
}

TEST(Supervisor, EndsByTheSignalThatAskedForIt) {
  for (const int asking : {SIGINT, SIGTERM, SIGHUP}) {
    signal(asking, SIG_DFL);  // Jobs in the background and nohup ignore some.
    EXPECT_EQ(supervised([&] { return raise(asking); }).signal, asking);
  }
}

TEST(Supervisor, StopsWhatTakesTooLong) {
  const Ending ending = supervised([]() -> int {
    const Risk risk(ExitCode::kModel, "crashed", 0.1, "model.pt: takes too long");
    for (volatile int i = 0;; i = (i + 1) % 1000) {
    }
  });
  EXPECT_EQ(ending.exit_code, number(ExitCode::kModel));
  EXPECT_EQ(ending.sentence, "model.pt: takes too long");
}

TEST(Supervisor, RemovesTemporaryFilesOfAProcessThatDied) {
  const support::TemporaryFolder folder;
  const std::string kept = folder.write("kept", "");
  for (const int signal : {SIGKILL, SIGTERM}) {
    const std::string file = folder.write("file", "");
    const std::string inner = folder.file("folder");
    std::filesystem::create_directories(inner + "/in");
    supervised([&] {
      { const TemporaryPath done(kept); }
      const TemporaryPath removed(file);
      const TemporaryPath removed_too(inner);
      return raise(signal);
    });
    EXPECT_FALSE(std::filesystem::exists(file)) << signal;
    EXPECT_FALSE(std::filesystem::exists(inner)) << signal;
    EXPECT_TRUE(std::filesystem::exists(kept)) << signal;
  }
}

TEST(Supervisor, EndsProcessesOfAProcessThatDied) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  supervised([&] {
    const pid_t child = fork();
    if (child == 0) {
      pause();
      _exit(0);
    }
    const OwnedProcess owned(child);
    return raise(SIGKILL);
  });
  close(ends[1]);
  char byte = 0;
  // Ends only when the last process that holds the other end has ended.
  EXPECT_EQ(read(ends[0], &byte, 1), 0);
  close(ends[0]);
}

}  // namespace
}  // namespace ptq
