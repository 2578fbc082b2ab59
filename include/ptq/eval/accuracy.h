#pragma once

#include <cstdint>
#include <vector>

/// Which class a network names, and how often that is right.
namespace ptq::eval {

/// Prediction of an image whose logits hold no number at all. It is never right.
inline constexpr int64_t kNoPrediction = -1;

/// First index of the largest of `classes` logits. NaN is smaller than every number; kNoPrediction
/// where all are NaN.
int64_t predict(const float* logits, int64_t classes);

/// Whether fewer than `k` classes stand before `label`: those with a larger logit, and those with
/// an equal one and a smaller index. False where the label's logit is NaN or `label` is not a
/// class.
bool in_top(const float* logits, int64_t classes, int64_t label, int64_t k);

/// Right answers among `count` images.
struct Accuracy {
  int64_t count = 0;
  int64_t correct = 0;
  int64_t correct_top5 = 0;

  /// Fractions; 0 for no images.
  double top1() const;
  double top5() const;
};

/// Two classifiers on the same images, image by image.
struct PairedCounts {
  int64_t count = 0;
  /// Same prediction, right or wrong. Two missing predictions do not agree.
  int64_t agreeing = 0;
  int64_t only_first_right = 0;
  int64_t only_second_right = 0;
};

/// Vectors of one length, one entry per image; `right` holds 0 or 1. Throws InternalError if the
/// lengths differ.
struct Answers {
  const std::vector<int64_t>& predictions;
  const std::vector<uint8_t>& right;
};
PairedCounts compare(const Answers& first, const Answers& second);

}  // namespace ptq::eval
