#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

/// Whether a step that is to keep what a network computes did keep it: the float network before and
/// after it, on the same images.
namespace ptq::eval {

struct FunctionChange {
  /// What was done, for people: "preparation", "equalize-graph", ...
  std::string step;
  int64_t images = 0;
  /// Images with the same prediction.
  int64_t agreeing = 0;
  /// Over the images, each image's SQNR of the logits in dB (eval/sqnr.h): the mean, and that of
  /// the image that changed most. At most kNoNoise.
  double sqnr = 0;
  double lowest_sqnr = 0;

  /// Whether float32's rounding explains all of it.
  bool is_rounding() const;
};

/// What float32 rounding leaves at least, in dB: a thousandth of the logits. Merged batch norms and
/// equalized weights leave 90 to 130; what clips one image's values leaves 40 or less.
inline constexpr double kRoundingSqnr = 60;

/// `before` and `after`: logits of the same images, [N, classes] float32. Images whose logits were
/// not finite before are left out of SQNR: nothing can be compared. Throws InternalError if the
/// sizes differ.
FunctionChange function_change(const std::string& step, const at::Tensor& before,
                               const at::Tensor& after);

/// "62 of 64 answers are equal, SQNR 13.2 dB on average, 4.1 dB for the image that changed most".
std::string words_of(const FunctionChange& change);

}  // namespace ptq::eval
