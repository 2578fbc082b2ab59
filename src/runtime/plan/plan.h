#pragma once

#include "ptq/runtime/executor.h"

namespace ptq::runtime {

/// make_plan with the number of images at once given, for tests and measurements. An observer makes
/// it 1: a plan fills up its last micro-batch, and where in a value the images of a batch lie is
/// not always its first dimension.
std::unique_ptr<Executor> make_plan(NetworkView network, ExecutorOptions options,
                                    int64_t micro_batch);

}  // namespace ptq::runtime
