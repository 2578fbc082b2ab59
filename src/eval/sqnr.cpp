#include "eval/sqnr.h"

#include <algorithm>
#include <cmath>
#include <limits>

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

double mean_sqnr(const at::Tensor& exact, const at::Tensor& quantized) {
  if (exact.sizes() != quantized.sizes()) {
    throw InternalError("logits of different sizes have no noise between them");
  }
  const at::Tensor left = exact.contiguous(), right = quantized.contiguous();
  const int64_t rows = left.size(0), classes = left.size(1);
  double sum = 0;
  for (int64_t row = 0; row < rows; ++row) {
    const double sqnr = row_sqnr(left.data_ptr<float>() + row * classes,
                                 right.data_ptr<float>() + row * classes, classes);
    sum += sqnr > kNoNoise ? kNoNoise : sqnr;
  }
  return rows == 0 ? 0 : sum / static_cast<double>(rows);
}

}  // namespace ptq::eval
