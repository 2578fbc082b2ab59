#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace ptq::eval {

/// Which of `tests` tests reject when, whatever depends on what, the probability that any of them
/// rejects wrongly shall be `level` at most: Holm's step-down procedure (Scand. J. Stat. 6, 1979).
/// `rejects(i, a)` says whether test i by itself rejects at level a.
std::vector<bool> holm(size_t tests, double level,
                       const std::function<bool(size_t test, double level)>& rejects);

}  // namespace ptq::eval
