#pragma once

#include "ptq/eval/accuracy.h"

/// How far accuracy fell from one classifier to another on the same images. Of n images, b are
/// right with only the first and c with only the second; the drop (b - c) / n estimates delta =
/// p_b - p_c, of which the p-values speak.
///
/// The tests are exact and unconditional: (b, c, n - b - c) is multinomial, outcomes are ordered by
/// the signed root r of the likelihood ratio at delta = d, and a p-value is the probability of an r
/// at least as extreme as the one seen, the largest for any share of flips with delta = d (Basu,
/// J. Am. Stat. Assoc. 72, 1977, on eliminating a nuisance parameter; Tango, Stat. Med. 17, 1998,
/// on the estimates under delta = d). So a test at level a errs with probability a at most,
/// whatever the number of images.
namespace ptq::eval {

/// Of "the drop is at most `drop`": small where it is greater. Drops are fractions in (-1, 1).
double p_at_most(const PairedCounts& counts, double drop);

/// Of "the drop is at least `drop`": small where it is smaller.
double p_at_least(const PairedCounts& counts, double drop);

/// The drop, and bounds that each hold with `confidence` (a fraction above 1/2): the drops that the
/// two tests do not reject, to within 1e-5.
struct DropBounds {
  double observed = 0;
  double low = 0;
  double high = 0;
};
DropBounds drop_bounds(const PairedCounts& counts, double confidence);

/// Two-sided p-value of "both are right equally often": McNemar's exact test, in which each of the
/// b + c flips goes either way with probability 1/2.
double mcnemar_exact(const PairedCounts& counts);

}  // namespace ptq::eval
