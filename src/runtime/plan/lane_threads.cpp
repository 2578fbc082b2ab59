#include "runtime/plan/lane_threads.h"

#include <c10/core/InferenceMode.h>

#include <exception>
#include <vector>

#include "base/thread_group.h"
#include "base/threads.h"

namespace ptq::runtime {
namespace {

void run_lane(const std::function<void(int)>& work, int lane, std::exception_ptr& failure) {
  try {
    const c10::InferenceMode no_gradients;
    set_intra_op_threads(1);
    work(lane);
  } catch (...) {
    failure = std::current_exception();
  }
}

}  // namespace

void on_lane_threads(int lanes, const std::function<void(int)>& work) {
  std::vector<std::exception_ptr> failures(static_cast<size_t>(lanes));
  ThreadGroup threads;
  for (int lane = 0; lane < lanes; ++lane) {
    threads.start([&, lane] { run_lane(work, lane, failures[static_cast<size_t>(lane)]); });
  }
  threads.join();
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

}  // namespace ptq::runtime
