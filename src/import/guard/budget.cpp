#include "import/guard/budget.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <string>

#include "base/limits.h"
#include "ptq/base/error.h"

namespace ptq::import {
namespace {

constexpr uint64_t kMostSteps = 5'000'000;
constexpr size_t kMostNodes = 50'000;
/// Reading the clock costs as much as a small step.
constexpr uint64_t kStepsBetweenChecks = 8;

constexpr uint64_t kMemory = uint64_t{1280} << 20;
/// Of each byte of the file: as read, as float32 of float16, and copies on the way.
constexpr uint64_t kMemoryPerByte = 6;

constexpr double kSeconds = 5;
/// A large network computes much: MaxViT-T, 125 MB, takes 5.5 s of a quiet 2 GHz core, and over 11
/// s where another thread shares the core.
constexpr double kBytesPerSecond = 5e6;
constexpr double kUsualImageSize = 224;

double thread_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// Pages of the process by the n-th number of statm, in bytes.
uint64_t pages_of(int column) {
  std::ifstream file("/proc/self/statm");
  uint64_t pages = 0;
  for (int i = 0; i <= column; ++i) file >> pages;
  return pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

uint64_t resident_bytes() { return pages_of(1); }
uint64_t data_bytes() { return pages_of(5); }

ImportError too_much(const std::string& what) {
  return ImportError(what + "; no network should, and --trust-model lifts the limit");
}

thread_local Budget* current = nullptr;

}  // namespace

Budget::Budget(ModelTrust trust, uint64_t file_bytes, int64_t image_size)
    : limited_(trust == ModelTrust::kCheck),
      memory_(kMemory + kMemoryPerByte * file_bytes),
      seconds_(most_seconds(file_bytes, image_size)),
      started_(thread_seconds()),
      resident_(resident_bytes()) {
  current = this;
  rlimit limit{};
  if (!limited_ || getrlimit(RLIMIT_DATA, &limit) != 0) return;
  const uint64_t wanted = data_bytes() + memory_;
  if (wanted >= limit.rlim_cur) return;
  limit_before_ = limit.rlim_cur;
  limit.rlim_cur = wanted;
  lowered_ = setrlimit(RLIMIT_DATA, &limit) == 0;
}

Budget::~Budget() {
  current = nullptr;
  rlimit limit{};
  if (!lowered_ || getrlimit(RLIMIT_DATA, &limit) != 0) return;
  limit.rlim_cur = limit_before_;
  setrlimit(RLIMIT_DATA, &limit);
}

double Budget::most_seconds(uint64_t file_bytes, int64_t image_size) {
  const double side = std::max(1.0, static_cast<double>(image_size) / kUsualImageSize);
  return kSeconds + static_cast<double>(file_bytes) / kBytesPerSecond * side * side;
}

bool Budget::limited() { return current != nullptr && current->limited_; }

void Budget::spend_step(size_t nodes) {
  if (limited()) current->step(nodes);
}

void Budget::step(size_t nodes) {
  if (++steps_ > kMostSteps) {
    throw too_much("forward takes more than " + std::to_string(kMostSteps) + " steps");
  }
  if (nodes > kMostNodes) {
    throw too_much("forward comes to more than " + std::to_string(kMostNodes) + " operations");
  }
  if (steps_ % kStepsBetweenChecks == 0) check_time_and_memory();
}

void Budget::check_time_and_memory() const {
  if (thread_seconds() - started_ > seconds_) {
    throw too_much("takes more than " + std::to_string(static_cast<int>(seconds_)) +
                   " seconds to read");
  }
  if (resident_bytes() > resident_ + memory_) {
    throw too_much("takes more than " + gib(static_cast<double>(memory_)) + " of memory to read");
  }
}

}  // namespace ptq::import
