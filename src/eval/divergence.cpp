#include "eval/divergence.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "ptq/base/error.h"

namespace ptq::eval {
namespace {

/// log of the sum of the exponentials.
double log_sum(const float* logits, int64_t count) {
  const double largest = *std::max_element(logits, logits + count);
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += std::exp(double{logits[i]} - largest);
  return largest + std::log(sum);
}

double row_divergence(const float* exact, const float* other, int64_t count) {
  const double of_exact = log_sum(exact, count), of_other = log_sum(other, count);
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) {
    const double log_p = double{exact[i]} - of_exact;
    sum += std::exp(log_p) * (log_p - (double{other[i]} - of_other));
  }
  return std::isfinite(sum) ? std::max(sum, 0.0) : std::numeric_limits<double>::infinity();
}

/// From 0; equal numbers have the mean of theirs.
std::vector<double> ranks(const std::vector<double>& values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] < values[b]; });
  std::vector<double> found(values.size());
  for (size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    const double mean = 0.5 * static_cast<double>(begin + end - 1);
    for (size_t i = begin; i < end; ++i) found[order[i]] = mean;
  }
  return found;
}

}  // namespace

std::vector<double> divergences(const at::Tensor& exact, const at::Tensor& other) {
  if (exact.sizes() != other.sizes()) {
    throw InternalError("logits of different sizes have no divergence");
  }
  const at::Tensor left = exact.contiguous(), right = other.contiguous();
  const int64_t classes = left.size(1);
  std::vector<double> rows;
  for (int64_t row = 0; row < left.size(0); ++row) {
    rows.push_back(row_divergence(left.data_ptr<float>() + row * classes,
                                  right.data_ptr<float>() + row * classes, classes));
  }
  return rows;
}

double rank_correlation(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) throw InternalError("lists of two lengths have no rank correlation");
  const std::vector<double> left = ranks(a), right = ranks(b);
  const double mean = 0.5 * (static_cast<double>(a.size()) - 1);
  double both = 0, first = 0, second = 0;
  for (size_t i = 0; i < left.size(); ++i) {
    both += (left[i] - mean) * (right[i] - mean);
    first += (left[i] - mean) * (left[i] - mean);
    second += (right[i] - mean) * (right[i] - mean);
  }
  return first > 0 && second > 0 ? both / std::sqrt(first * second) : 0;
}

}  // namespace ptq::eval
