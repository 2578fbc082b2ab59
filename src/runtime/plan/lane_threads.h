#pragma once

#include <functional>

namespace ptq::runtime {

/// Runs `work(lane)` for lanes 0 ... lanes - 1, each on a thread of its own that uses one core for
/// everything below it, and waits. Rethrows what the first failing lane threw.
void on_lane_threads(int lanes, const std::function<void(int)>& work);

}  // namespace ptq::runtime
