#include "cli/memory_at_start.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "ptq/base/error.h"

namespace ptq::cli {
namespace {

/// That the constructors need, and a run of the smallest network: measured with ulimit -v.
constexpr rlim_t kLeastLeft = 192 << 20;

/// Of address space that this process has taken; 0 where the kernel does not tell.
rlim_t taken_bytes() {
  char text[64] = {};
  const int file = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  const ssize_t size = ::read(file, text, sizeof text - 1);
  ::close(file);
  if (size <= 0) return 0;
  return strtoul(text, nullptr, 10) * static_cast<rlim_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

void check_memory_at_start(int /*count*/, char** /*arguments*/, char** /*environment*/) {
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
  const rlim_t taken = taken_bytes();
  if (taken == 0 || limit.rlim_cur >= taken + kLeastLeft) return;
  constexpr char kSentence[] =
      "error: the shell allows too little address space for LibTorch to start (ulimit -v); a "
      "small network needs 1 GiB\n";
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, kSentence, strlen(kSentence));
  _exit(static_cast<int>(ExitCode::kSystem));
}

}  // namespace ptq::cli
