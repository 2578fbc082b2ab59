#pragma once

#include "runtime/steps/step.h"

namespace ptq::runtime {

/// Means over windows, or over whole dimensions, have one order of sums, and the same bits on every
/// processor: floats of a window are added up from 0 one after the other, in the order of their
/// indices, and the sum is divided by the count. Of codes: float32(sum of (code - z)) * s / count.

/// How a value of `sizes` has to lie for its mean over `dims`: what is added up lies between the
/// images, outermost, and the elements of one mean, innermost.
Layout layout_for_mean(const Extents& sizes, const Extents& dims);

/// The step of an AvgPool or AdaptiveAvgPool over one or two dimensions, or a Mean. No step where
/// the input lies otherwise than the layout that is wanted.
BuiltStep build_mean(const StepRequest& request);

}  // namespace ptq::runtime
