#include "base/limits.h"

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <optional>

#include "base/memory.h"

namespace ptq {
namespace {

/// As the process found it when it started: reading a model lowers it for a while.
std::optional<int64_t> limit_of(__rlimit_resource resource) {
  rlimit limit{};
  if (getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return std::nullopt;
  return static_cast<int64_t>(limit.rlim_cur);
}

struct ShellLimits {
  std::optional<int64_t> address_space = limit_of(RLIMIT_AS);
  std::optional<int64_t> data = limit_of(RLIMIT_DATA);
  std::optional<int64_t> processes = limit_of(RLIMIT_NPROC);
};

// Before main, so that nothing has changed them.
const ShellLimits kAtStart;

}  // namespace

bool memory_is_limited() {
  // A run needs less, whatever it does; a wide limit is there to stop others.
  constexpr int64_t kWide = int64_t{8} << 30;
  return std::min(kAtStart.address_space.value_or(kWide), kAtStart.data.value_or(kWide)) < kWide;
}

bool processes_are_limited() {
  constexpr int64_t kFew = 512;
  return kAtStart.processes && *kAtStart.processes < kFew;
}

std::string memory_limits() {
  if (kAtStart.address_space) {
    return "the shell allows " + gib(static_cast<double>(*kAtStart.address_space)) +
           " of address space (ulimit -v)";
  }
  if (kAtStart.data) {
    return "the shell allows " + gib(static_cast<double>(*kAtStart.data)) + " of data (ulimit -d)";
  }
  return "the machine has " + gib(static_cast<double>(available_memory_bytes()));
}

std::string memory_advice() {
  return "--threads 1 --workers 1, smaller batches (--batch-size-calibration, "
         "--batch-size-validation) and --image-memory 0 need less";
}

std::string gib(double bytes) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.2f GiB", bytes / (1 << 30));
  return text.data();
}

}  // namespace ptq
