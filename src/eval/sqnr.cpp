#include "eval/sqnr.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "ptq/base/error.h"

namespace ptq::eval {
namespace {

double row_sqnr(const float* exact, const float* quantized, int64_t count) {
  double signal = 0, noise = 0;
  for (int64_t i = 0; i < count; ++i) {
    const double difference = double{exact[i]} - double{quantized[i]};
    signal += double{exact[i]} * double{exact[i]};
    noise += difference * difference;
  }
  return decibels(signal, noise);
}

}  // namespace

double decibels(double signal, double noise) {
  if (noise == 0) return std::numeric_limits<double>::infinity();
  return 10 * std::log10(signal / noise);
}

std::vector<double> row_sqnrs(const at::Tensor& exact, const at::Tensor& quantized) {
  if (exact.sizes() != quantized.sizes()) {
    throw InternalError("logits of different sizes have no noise between them");
  }
  const at::Tensor left = exact.contiguous(), right = quantized.contiguous();
  const int64_t classes = left.size(1);
  std::vector<double> rows;
  for (int64_t row = 0; row < left.size(0); ++row) {
    const double sqnr = row_sqnr(left.data_ptr<float>() + row * classes,
                                 right.data_ptr<float>() + row * classes, classes);
    rows.push_back(sqnr > kNoNoise ? kNoNoise : sqnr);
  }
  return rows;
}

double mean_sqnr(const at::Tensor& exact, const at::Tensor& quantized) {
  const std::vector<double> rows = row_sqnrs(exact, quantized);
  const double sum = std::accumulate(rows.begin(), rows.end(), 0.0);
  return rows.empty() ? 0 : sum / static_cast<double>(rows.size());
}

}  // namespace ptq::eval
