#include "data/decode_queue.h"

#include <algorithm>
#include <utility>

namespace ptq::data {

DecodeQueue::DecodeQueue(size_t size, size_t kept, int workers, Decode decode)
    : kept_(kept), workers_(workers), decode_(std::move(decode)), slots_(size) {}

DecodeQueue::~DecodeQueue() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  work_or_stop_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void DecodeQueue::restart(size_t ahead) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (size_t i = kept_; i < slots_.size(); ++i) {
      Slot& slot = slots_[i];
      if (slot.state == State::kDone && slot.result.failure.empty()) slot = Slot();
    }
    next_ = 0;
    candidate_ = 0;
    ahead_ = ahead;
  }
  work_or_stop_.notify_all();
  while (static_cast<int>(threads_.size()) < workers_) threads_.emplace_back([this] { work(); });
}

const Decoded& DecodeQueue::take(Decoded& storage) {
  std::unique_lock<std::mutex> lock(mutex_);
  Slot& slot = slots_[next_];
  while (slot.state != State::kDone) {
    if (has_work()) {
      decode_one(lock);
    } else {
      done_.wait(lock);
    }
  }
  const bool stays = next_ < kept_ || !slot.result.failure.empty();
  if (!stays) storage = std::exchange(slot, Slot()).result;
  ++next_;
  work_or_stop_.notify_one();
  return stays ? slot.result : storage;
}

void DecodeQueue::work() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    work_or_stop_.wait(lock, [this] { return stop_ || has_work(); });
    if (stop_) return;
    decode_one(lock);
  }
}

bool DecodeQueue::has_work() {
  // A position the consumer has passed is done with, whatever its state.
  candidate_ = std::max(candidate_, next_);
  while (candidate_ < slots_.size() && slots_[candidate_].state != State::kPending) ++candidate_;
  return candidate_ < slots_.size() && (candidate_ < kept_ || candidate_ < next_ + ahead_);
}

void DecodeQueue::decode_one(std::unique_lock<std::mutex>& lock) {
  const size_t position = candidate_++;
  slots_[position].state = State::kRunning;
  lock.unlock();
  Decoded result = decode_(position);
  lock.lock();
  slots_[position].result = std::move(result);
  slots_[position].state = State::kDone;
  done_.notify_one();
}

}  // namespace ptq::data
