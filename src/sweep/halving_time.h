#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

/// How many configurations successive halving (sweep/halving.h) can begin with in a given time.
namespace ptq::sweep {

/// What running one configuration takes, as measured so far: seconds that do not depend on how many
/// images it is evaluated on (scales, calibration, rounding), and seconds of evaluation an image.
class RunCost {
 public:
  /// One run: its seconds in all, and those of its evaluation on `images`.
  void add(double seconds, double evaluation, int64_t images);
  /// Of a run on so many images; 0 before the first one.
  double seconds(int64_t images) const;

 private:
  /// Without evaluation. The first run also reads the model, and asks the float network.
  double first_ = 0, others_ = 0;
  double evaluation_ = 0;
  int64_t runs_ = 0, images_ = 0;
};

/// The most configurations, `most` at the most and one at least, that `seconds` suffice for: to
/// evaluate them on sizes[from] images, the better half of them on the next size, and so on, and
/// one on the last size.
size_t affordable(const RunCost& cost, const std::vector<int64_t>& sizes, size_t from, size_t most,
                  double seconds);

/// Where in `sizes` to begin, the last of which is for the winner alone: on as few images as leave
/// two configurations to choose from on the last size but one. One that is left alone would be run
/// again and again without a choice.
size_t first_size(const RunCost& cost, const std::vector<int64_t>& sizes, size_t most,
                  double seconds);

}  // namespace ptq::sweep
