#include "eval/function_change.h"

#include <ATen/ops/argmax.h>
#include <ATen/ops/isfinite.h>

#include <algorithm>

#include "base/text.h"
#include "eval/sqnr.h"
#include "ptq/base/error.h"

namespace ptq::eval {
namespace {

/// NaN is the lowest.
double lower(double a, double b) { return b >= a ? a : b; }

}  // namespace

bool FunctionChange::is_rounding() const { return lowest_sqnr >= kRoundingSqnr; }

FunctionChange function_change(const std::string& step, const at::Tensor& before,
                               const at::Tensor& after) {
  if (before.sizes() != after.sizes()) {
    throw InternalError(step + " changed the size of the logits");
  }
  FunctionChange change{step, before.size(0), 0, kNoNoise, kNoNoise};
  change.agreeing = before.argmax(1).eq(after.argmax(1)).sum().item<int64_t>();
  double sum = 0;
  int64_t compared = 0;
  for (int64_t row = 0; row < change.images; ++row) {
    const at::Tensor exact = before.narrow(0, row, 1);
    if (!exact.isfinite().all().item<bool>()) continue;
    const double sqnr = mean_sqnr(exact, after.narrow(0, row, 1));
    change.lowest_sqnr = lower(change.lowest_sqnr, sqnr);
    sum += sqnr;
    ++compared;
  }
  if (compared > 0) change.sqnr = sum / static_cast<double>(compared);
  return change;
}

std::string words_of(const FunctionChange& change) {
  return std::to_string(change.agreeing) + " of " + std::to_string(change.images) +
         " answers are equal, SQNR " + fixed(change.sqnr, 1) + " dB on average, " +
         fixed(change.lowest_sqnr, 1) + " dB for the image that changed most";
}

}  // namespace ptq::eval
