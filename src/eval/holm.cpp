#include "eval/holm.h"

#include <algorithm>

namespace ptq::eval {

// The k-th smallest p-value is compared with level / (tests - k + 1), as long as those before it
// rejected: so each round takes in all that reject with the number of those left.
std::vector<bool> holm(size_t tests, double level,
                       const std::function<bool(size_t test, double level)>& rejects) {
  std::vector<bool> rejected(tests, false);
  size_t left = tests;
  for (size_t before = left + 1; left > 0 && left < before;) {
    before = left;
    const double each = level / static_cast<double>(left);
    for (size_t test = 0; test < tests; ++test) {
      if (!rejected[test]) rejected[test] = rejects(test, each);
    }
    left = static_cast<size_t>(std::count(rejected.begin(), rejected.end(), false));
  }
  return rejected;
}

}  // namespace ptq::eval
