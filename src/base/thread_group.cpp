#include "base/thread_group.h"

#include <mutex>
#include <string>
#include <system_error>
#include <utility>

#include "ptq/base/error.h"

namespace ptq {

void ThreadGroup::start(std::function<void()> work) {
  try {
    threads_.emplace_back(std::move(work));
  } catch (const std::system_error& error) {
    throw SystemError("no more than " + std::to_string(threads_.size()) +
                      " threads can be started at this point (" + error.code().message() +
                      "); --threads 1 --workers 1 needs the fewest");
  }
}

void ThreadGroup::join() {
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void require_threads(int count) {
  std::mutex mutex;
  mutex.lock();
  ThreadGroup threads;
  // Unlocked before the group waits.
  const std::unique_lock<std::mutex> all_there(mutex, std::adopt_lock);
  for (int i = 0; i < count; ++i) {
    threads.start([&mutex] { const std::lock_guard<std::mutex> wait(mutex); });
  }
}

}  // namespace ptq
