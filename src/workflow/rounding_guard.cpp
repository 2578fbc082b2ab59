#include "workflow/rounding_guard.h"

#include <ATen/ops/cat.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include "base/text.h"
#include "eval/sqnr.h"
#include "ptq/runtime/execution.h"

namespace ptq::workflow {
namespace {

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

/// Whether `a` is above `b` by more than two standard errors of the mean difference.
bool is_clearly_above(const std::vector<double>& a, const std::vector<double>& b) {
  const auto count = static_cast<double>(a.size());
  const double difference = mean(a) - mean(b);
  double squares = 0;
  for (size_t i = 0; i < a.size(); ++i) squares += std::pow(a[i] - b[i] - difference, 2);
  return difference > 2 * std::sqrt(squares / (count - 1) / count);
}

}  // namespace

passes::NextBatch RoundingGuard::rest_of(const passes::NextBatch& all) {
  return [this, all]() -> std::optional<at::Tensor> {
    while (const std::optional<at::Tensor> batch = all()) {
      const int64_t images = batch->size(0);
      due_ += share_ * static_cast<double>(images);
      const int64_t kept = std::min({static_cast<int64_t>(due_), images, kMostImages - count_});
      due_ -= static_cast<double>(kept);
      count_ += kept;
      if (kept > 0) aside_.push_back(batch->narrow(0, images - kept, kept).clone());
      if (kept < images) return batch->narrow(0, 0, images - kept);
    }
    return std::nullopt;
  };
}

void RoundingGuard::judge(QuantizedNetwork& network, const passes::OriginalWeights& before,
                          const passes::OriginalWeights& originals, RoundingReport& report,
                          const Context& context) const {
  const at::Tensor pixels = at::cat(aside_).to(context.execution.device);
  const auto logits = [&](const passes::OriginalWeights& weights, runtime::Numerics numerics) {
    passes::set_weights(network.graph, weights);
    runtime::ExecutorOptions options;
    options.numerics = numerics;
    return runtime::make_executor(network, context.execution, options)->run(pixels).to(at::kCPU);
  };
  const passes::OriginalWeights after = passes::weights_of(network.graph);
  passes::OriginalWeights floats = originals;
  floats.insert(before.begin(), before.end());
  const at::Tensor rounded = logits(after, runtime::Numerics::kQuantized);
  const at::Tensor exact = logits(floats, runtime::Numerics::kFloat);
  const at::Tensor nearest = logits(before, runtime::Numerics::kQuantized);
  const std::vector<double> of_nearest = eval::row_sqnrs(exact, nearest);
  const std::vector<double> of_rounded = eval::row_sqnrs(exact, rounded);
  const std::string figures = fixed(mean(of_nearest), 1) + " dB with the nearest codes, " +
                              fixed(mean(of_rounded), 1) + " dB with " + report.technique;
  context.log.line("  " + report.technique + ": SQNR of the logits on " + std::to_string(count_) +
                   " images kept aside: " + figures);
  if (!is_clearly_above(of_nearest, of_rounded)) {
    passes::set_weights(network.graph, after);
    return;
  }
  for (passes::RoundedLayer& layer : report.layers) {
    layer.left = "worse than the nearest codes as a whole network";
    layer.error_after = layer.error_before;
  }
  context.log.warning(
      report.technique +
      " is not used, since the network would be worse: its logits have an SQNR of " + figures);
}

}  // namespace ptq::workflow
