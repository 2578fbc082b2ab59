#pragma once

#include <functional>
#include <thread>
#include <vector>

namespace ptq {

/// Threads that are waited for whatever happens.
class ThreadGroup {
 public:
  ThreadGroup() = default;
  ~ThreadGroup() { join(); }
  ThreadGroup(const ThreadGroup&) = delete;
  ThreadGroup& operator=(const ThreadGroup&) = delete;

  /// `work` must not throw. Throws SystemError where the system gives no thread.
  void start(std::function<void()> work);
  void join();

 private:
  std::vector<std::thread> threads_;
};

/// Throws SystemError unless `count` threads can run at once. Libraries end the whole program where
/// they get none.
void require_threads(int count);

}  // namespace ptq
