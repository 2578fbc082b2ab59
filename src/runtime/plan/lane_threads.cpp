#include "runtime/plan/lane_threads.h"

#include <c10/core/InferenceMode.h>

#include <exception>
#include <thread>
#include <vector>

#include "ptq/base/threads.h"

namespace ptq::runtime {
namespace {

std::thread lane_thread(std::function<void()> work, std::exception_ptr& failure) {
  return std::thread([work = std::move(work), &failure] {
    try {
      const c10::InferenceMode no_gradients;
      set_intra_op_threads(1);
      work();
    } catch (...) {
      failure = std::current_exception();
    }
  });
}

}  // namespace

void on_lane_threads(int lanes, const std::function<void(int)>& work) {
  std::vector<std::exception_ptr> failures(static_cast<size_t>(lanes));
  std::vector<std::thread> threads;
  for (int lane = 0; lane < lanes; ++lane) {
    threads.push_back(
        lane_thread([&work, lane] { work(lane); }, failures[static_cast<size_t>(lane)]));
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

}  // namespace ptq::runtime
