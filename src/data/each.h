#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>

#include "base/thread_group.h"

namespace ptq::data {

/// Calls work(0) .. work(count - 1) on `threads` threads, of which the calling one is the first. An
/// exception ends it and comes back to the caller.
template <class Work>
void each(size_t count, int threads, const Work& work) {
  std::atomic<size_t> next = 0;
  std::exception_ptr failure;
  std::mutex mutex;
  const auto loop = [&] {
    for (size_t i = next++; i < count; i = next++) {
      try {
        work(i);
      } catch (...) {
        next = count;
        const std::lock_guard<std::mutex> lock(mutex);
        if (!failure) failure = std::current_exception();
      }
    }
  };
  ThreadGroup others;
  for (int i = 1; i < threads && static_cast<size_t>(i) < count; ++i) others.start(loop);
  loop();
  others.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace ptq::data
