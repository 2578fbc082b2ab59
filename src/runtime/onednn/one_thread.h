#pragma once

#include <ATen/Parallel.h>

#include "base/threads.h"

namespace ptq::runtime {

/// Within its life, parallel regions that the calling thread starts have one thread, and oneDNN's
/// primitives are made for one.
class OneThread {
 public:
  OneThread() : before_(at::get_num_threads()) { set_intra_op_threads(1); }
  ~OneThread() { set_intra_op_threads(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

}  // namespace ptq::runtime
