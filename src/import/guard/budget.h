#pragma once

#include <cstddef>
#include <cstdint>

#include "import/import.h"

namespace ptq::import {

/// The work that reading one model may be: more than any network needs, and what a loop without end
/// comes to in seconds. It holds for the thread that makes it, as long as it lives; its times are
/// of that thread's processor, so that a busy machine does not count. Meanwhile the process may
/// grow by so much memory and no more (RLIMIT_DATA). With ModelTrust::kTrust nothing is limited.
/// Not nested.
class Budget {
 public:
  Budget(ModelTrust trust, uint64_t file_bytes, int64_t image_size);
  ~Budget();
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;

  /// Seconds of processor that reading a file of this size may take when the walk sends images of
  /// this many pixels a side: more of both is more arithmetic.
  static double most_seconds(uint64_t file_bytes, int64_t image_size);

  /// Whether this thread reads a model that is not trusted.
  static bool limited();

  /// Before each step of the walk, which has written `nodes` down so far. Throws ImportError past
  /// the limits of this thread's budget, if it has one.
  static void spend_step(size_t nodes);

 private:
  void step(size_t nodes);
  void check_time_and_memory() const;

  bool limited_;
  uint64_t memory_;
  double seconds_;
  double started_;
  uint64_t resident_;
  uint64_t steps_ = 0;
  bool lowered_ = false;
  uint64_t limit_before_ = 0;
};

}  // namespace ptq::import
