#pragma once

#include "ptq/eval/accuracy.h"

namespace ptq::eval {

/// A difference of two fractions with its 95 % confidence interval, within [-1, 1].
struct Interval {
  double difference = 0;
  double low = 0;
  double high = 0;
};

/// Top-1 of the second classifier minus top-1 of the first. `difference` is the observed one,
/// (c - b) / n with b images only the first gets right and c only the second. The interval is the
/// adjusted Wald interval for paired proportions of Bonett and Price (Journal of Educational and
/// Behavioral Statistics 37, 2012): one image is added to each of b and c and two to n,
///
///   p_b = (b + 1) / (n + 2),  p_c = (c + 1) / (n + 2)
///   (p_c - p_b) -/+ 1.959964 sqrt((p_b + p_c - (p_c - p_b)^2) / (n + 2))
///
/// so that it has a width even where the two never differ. Only images on which one of the two is
/// right widen it: it is far narrower than what two separate top-1 figures would suggest.
Interval paired_difference(const PairedCounts& counts);

}  // namespace ptq::eval
