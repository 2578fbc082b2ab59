#include "passes/bias_correction/mean_output.h"

namespace ptq::passes {
namespace {

int64_t groups_of(const ir::Op& op) {
  if (const auto* conv = std::get_if<ir::Conv>(&op)) return conv->groups;
  if (const auto* conv = std::get_if<ir::ConvTranspose>(&op)) return conv->groups;
  return 1;
}

/// A weight as [out, in / groups * taps], contiguous.
at::Tensor rows_of(const ir::Op& op, const at::Tensor& weight) {
  if (!std::holds_alternative<ir::ConvTranspose>(op)) return weight.flatten(1).contiguous();
  const int64_t groups = groups_of(op);
  const int64_t in = weight.size(0) / groups;
  const int64_t out = weight.size(1);
  return weight.reshape({groups, in, out, -1})
      .permute({0, 2, 1, 3})
      .reshape({groups * out, -1})
      .contiguous();
}

double dot(const float* weights, const double* means, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += static_cast<double>(weights[i]) * means[i];
  return sum;
}

}  // namespace

int64_t input_channels(const ir::Op& op) {
  const at::Tensor& weight = ir::weighted(op)->weight.value;
  return std::holds_alternative<ir::ConvTranspose>(op) ? weight.size(0)
                                                       : weight.size(1) * groups_of(op);
}

std::vector<double> mean_output(const ir::Op& op, const at::Tensor& weight,
                                const std::vector<double>& tap_means) {
  const at::Tensor rows = rows_of(op, weight);
  const int64_t length = rows.size(1);
  const int64_t outputs_of_group = rows.size(0) / groups_of(op);
  std::vector<double> mean;
  for (int64_t out = 0; out < rows.size(0); ++out) {
    const double* of_group = tap_means.data() + out / outputs_of_group * length;
    mean.push_back(dot(rows.data_ptr<float>() + out * length, of_group, length));
  }
  return mean;
}

}  // namespace ptq::passes
