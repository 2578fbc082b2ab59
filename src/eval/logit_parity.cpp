#include "eval/logit_parity.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "ptq/base/error.h"
#include "ptq/eval/accuracy.h"

namespace ptq::eval {
namespace {

struct BinEnd {
  /// Differences up to this one.
  double last;
  const char* words;
};
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::array<BinEnd, 7> kSteps = {{{0.5, "0"},
                                           {1.5, "1"},
                                           {2.5, "2"},
                                           {3.5, "3"},
                                           {7.5, "4 to 7"},
                                           {15.5, "8 to 15"},
                                           {kInfinity, "16 and more"}}};
constexpr std::array<BinEnd, 7> kParts = {{{0, "0"},
                                           {1e-6, "up to 1e-06"},
                                           {1e-5, "up to 1e-05"},
                                           {1e-4, "up to 1e-04"},
                                           {1e-3, "up to 1e-03"},
                                           {1e-2, "up to 1e-02"},
                                           {kInfinity, "more"}}};

/// Equal numbers differ by nothing, infinities and NaN as well.
double difference(float a, float b) {
  if (a == b || (std::isnan(a) && std::isnan(b))) return 0;
  const double distance = std::abs(static_cast<double>(a) - static_cast<double>(b));
  return std::isnan(distance) ? kInfinity : distance;
}

double unit(const at::Tensor& logits, std::optional<double> step) {
  if (step) return *step;
  const double largest = logits.numel() > 0 ? logits.abs().max().item<double>() : 0;
  return largest > 0 ? largest : 1;
}

/// A class that a network without any number does not name is as far as can be.
double margin(const float* logits, int64_t ours, int64_t theirs) {
  if (ours == kNoPrediction || theirs == kNoPrediction) return kInfinity;
  return difference(logits[ours], logits[theirs]);
}

void compare_predictions(const at::Tensor& first, const at::Tensor& second, double one,
                         LogitParity& parity) {
  const int64_t classes = first.size(1);
  for (int64_t row = 0; row < first.size(0); ++row) {
    const float* logits = first.data_ptr<float>() + row * classes;
    const int64_t ours = predict(logits, classes);
    const int64_t theirs = predict(second.data_ptr<float>() + row * classes, classes);
    if (ours == theirs) {
      ++parity.agreeing;
      continue;
    }
    parity.disagreeing.push_back({row, margin(logits, ours, theirs) / one});
    parity.largest_margin = std::max(parity.largest_margin, parity.disagreeing.back().margin);
  }
}

}  // namespace

LogitParity compare_logits(const at::Tensor& first, const at::Tensor& second,
                           std::optional<double> step) {
  if (first.sizes() != second.sizes()) throw InternalError("logits of different shapes");
  LogitParity parity;
  parity.images = first.size(0);
  parity.step = step;
  const double one = unit(first, step);
  compare_predictions(first, second, one, parity);
  const std::array<BinEnd, 7>& ends = step ? kSteps : kParts;
  std::array<int64_t, 7> counts{};
  for (int64_t i = 0; i < first.numel(); ++i) {
    const double apart = difference(first.data_ptr<float>()[i], second.data_ptr<float>()[i]) / one;
    parity.largest_difference = std::max(parity.largest_difference, apart);
    size_t bin = 0;
    while (apart > ends[bin].last) ++bin;
    ++counts[bin];
  }
  for (size_t bin = 0; bin < ends.size(); ++bin) {
    if (counts[bin] > 0) parity.histogram.push_back({ends[bin].words, counts[bin]});
  }
  return parity;
}

}  // namespace ptq::eval
