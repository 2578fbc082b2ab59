#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "ptq/data/crop_store.h"

namespace ptq::data {

/// What became of one image: its crop, or why there is none.
struct Decoded {
  Crop pixels;
  std::string failure;
};

/// Positions 0 .. size-1, decoded by threads in about that order and taken by one consumer in
/// exactly that order, pass after pass. Results of the first `kept` positions stay; they are
/// decoded once, as far ahead as there are any. The others are decoded once a pass, at most `ahead`
/// positions in front of the consumer. Failures stay too.
class DecodeQueue {
 public:
  /// Never throws: a failure is a result.
  using Decode = std::function<Decoded(size_t position)>;

  DecodeQueue(size_t size, size_t kept, int workers, Decode decode);
  ~DecodeQueue();
  DecodeQueue(const DecodeQueue&) = delete;
  DecodeQueue& operator=(const DecodeQueue&) = delete;

  /// The next position is 0.
  void restart(size_t ahead);

  bool at_end() const { return next_ == slots_.size(); }
  size_t position() const { return next_; }

  /// The result of position(), which moves on by one; decodes on the calling thread while it is not
  /// there. A kept result is valid as long as the queue, another until `storage` changes.
  const Decoded& take(Decoded& storage);

 private:
  enum class State { kPending, kRunning, kDone };
  struct Slot {
    State state = State::kPending;
    Decoded result;
  };

  void work();
  /// Both with `lock` held, which is released while decoding.
  bool has_work();
  void decode_one(std::unique_lock<std::mutex>& lock);

  const size_t kept_;
  const int workers_;
  const Decode decode_;
  std::vector<Slot> slots_;
  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable work_or_stop_, done_;
  size_t next_ = 0;       // consumer's position
  size_t candidate_ = 0;  // no position before it is pending
  size_t ahead_ = 0;
  bool stop_ = false;
};

}  // namespace ptq::data
