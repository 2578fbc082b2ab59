#include "data/decode_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace ptq::data {
namespace {

// A decoder that counts its calls for each position, and fails for those that are told.
class Counter {
 public:
  explicit Counter(size_t size) : calls_(size) {}
  DecodeQueue::Decode decode() {
    return [this](size_t position) {
      ++calls_[position];
      Decoded result;
      if (position == failing_) {
        result.failure = "told to fail";
      } else {
        result.pixels = std::make_shared<const uint8_t>(static_cast<uint8_t>(position));
      }
      return result;
    };
  }
  void fail_at(size_t position) { failing_ = position; }
  int calls(size_t position) const { return calls_[position]; }
  int total() const {
    int sum = 0;
    for (const std::atomic<int>& calls : calls_) sum += calls;
    return sum;
  }

 private:
  std::vector<std::atomic<int>> calls_;
  size_t failing_ = SIZE_MAX;
};

std::vector<int> take_all(DecodeQueue& queue) {
  std::vector<int> taken;
  while (!queue.at_end()) {
    Decoded storage;
    const Decoded& result = queue.take(storage);
    taken.push_back(result.failure.empty() ? *result.pixels : -1);
  }
  return taken;
}

// Waits for what the workers will have done after a while: two minutes, however busy the machine
// is, before a worker that hangs fails the test.
void wait_until_total(const Counter& counter, int total) {
  for (int i = 0; i < 120000 && counter.total() < total; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

TEST(DecodeQueue, WithoutThreadsTheConsumerDecodesOneByOne) {
  Counter counter(3);
  DecodeQueue queue(3, 3, 0, counter.decode());
  queue.restart(100);
  Decoded storage;
  queue.take(storage);
  EXPECT_EQ(counter.total(), 1);
  EXPECT_EQ(take_all(queue), (std::vector<int>{1, 2}));
}

TEST(DecodeQueue, DecodesKeptPositionsOnceInItsLife) {
  Counter counter(50);
  DecodeQueue queue(50, 20, 3, counter.decode());
  for (int pass = 1; pass <= 3; ++pass) {
    queue.restart(5);
    const std::vector<int> taken = take_all(queue);
    EXPECT_TRUE(std::is_sorted(taken.begin(), taken.end()));
    EXPECT_EQ(taken.size(), 50U);
    for (size_t i = 0; i < 50; ++i) EXPECT_EQ(counter.calls(i), i < 20 ? 1 : pass) << i;
  }
}

TEST(DecodeQueue, WorkersGoAheadAsFarAsTheyMayBeforeAnythingIsTaken) {
  Counter kept(50);
  DecodeQueue unbounded(50, 50, 2, kept.decode());
  unbounded.restart(1);
  wait_until_total(kept, 50);
  EXPECT_EQ(kept.total(), 50);

  Counter passing(50);
  DecodeQueue bounded(50, 10, 2, passing.decode());
  bounded.restart(25);
  wait_until_total(passing, 25);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(passing.total(), 25);
}

TEST(DecodeQueue, AFailureIsAResultThatStays) {
  Counter counter(4);
  counter.fail_at(2);
  DecodeQueue queue(4, 0, 2, counter.decode());
  for (int pass = 0; pass < 2; ++pass) {
    queue.restart(2);
    EXPECT_EQ(take_all(queue), (std::vector<int>{0, 1, -1, 3}));
  }
  EXPECT_EQ(counter.calls(2), 1);
  EXPECT_EQ(counter.calls(3), 2);
}

TEST(DecodeQueue, RestartsAndEndsWhileWorkersAreBusy) {
  for (int repetition = 0; repetition < 200; ++repetition) {
    Counter counter(30);
    DecodeQueue queue(30, 7, 3, counter.decode());
    queue.restart(4);
    Decoded storage;
    for (int i = 0; i < repetition % 12; ++i) queue.take(storage);
    queue.restart(6);
    for (int i = 0; i < repetition % 7; ++i) {
      EXPECT_EQ(*queue.take(storage).pixels, i);
    }
  }
}

}  // namespace
}  // namespace ptq::data
