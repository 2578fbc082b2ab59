#include "ptq/eval/accuracy.h"

#include <cmath>

#include "ptq/base/error.h"

namespace ptq::eval {
namespace {

double fraction(int64_t part, int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

int64_t predict(const float* logits, int64_t classes) {
  int64_t best = kNoPrediction;
  for (int64_t i = 0; i < classes; ++i) {
    const bool first_number = best == kNoPrediction && !std::isnan(logits[i]);
    if (first_number || (best != kNoPrediction && logits[i] > logits[best])) best = i;
  }
  return best;
}

bool in_top(const float* logits, int64_t classes, int64_t label, int64_t k) {
  if (label < 0 || label >= classes || std::isnan(logits[label])) return false;
  int64_t before = 0;
  for (int64_t i = 0; i < classes; ++i) {
    const bool larger = logits[i] > logits[label];
    const bool equal_and_earlier = i < label && logits[i] == logits[label];
    before += larger || equal_and_earlier ? 1 : 0;
  }
  return before < k;
}

double Accuracy::top1() const { return fraction(correct, count); }
double Accuracy::top5() const { return fraction(correct_top5, count); }

PairedCounts compare(const Answers& first, const Answers& second) {
  const size_t count = first.predictions.size();
  if (second.predictions.size() != count || first.right.size() != count ||
      second.right.size() != count) {
    throw InternalError("two evaluations of one image set differ in length");
  }
  PairedCounts counts;
  counts.count = static_cast<int64_t>(count);
  for (size_t i = 0; i < count; ++i) {
    const int64_t prediction = first.predictions[i];
    const bool agree = prediction != kNoPrediction && prediction == second.predictions[i];
    counts.agreeing += agree ? 1 : 0;
    counts.only_first_right += first.right[i] && !second.right[i] ? 1 : 0;
    counts.only_second_right += second.right[i] && !first.right[i] ? 1 : 0;
  }
  return counts;
}

}  // namespace ptq::eval
