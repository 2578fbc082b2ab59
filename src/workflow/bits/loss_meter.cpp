#include "workflow/bits/loss_meter.h"

#include <ATen/ops/cat.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>

#include "eval/divergence.h"
#include "eval/sqnr.h"
#include "passes/bits/bit_groups.h"
#include "ptq/base/error.h"

namespace ptq::workflow {
namespace {

constexpr int64_t kBatch = 32;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Reads decoded images first, so that time is the network's.
at::Tensor float_logits(const QuantizedNetwork& network, const passes::NextBatch& next,
                        const runtime::Execution& execution, double& seconds) {
  const c10::InferenceMode no_gradients;
  runtime::ExecutorOptions options;
  options.numerics = runtime::Numerics::kFloat;
  const auto executor = runtime::make_executor(network, execution, options);
  std::vector<at::Tensor> logits;
  while (const std::optional<at::Tensor> batch = next()) {
    const auto start = std::chrono::steady_clock::now();
    logits.push_back(executor->run(*batch).to(at::kCPU));
    seconds += seconds_since(start);
  }
  if (logits.empty()) throw DataError("no calibration image can be read");
  return at::cat(logits).contiguous();
}

/// Of all images, in their order.
AnswerLoss mean_of(const std::vector<AnswerLoss>& images) {
  AnswerLoss mean;
  for (const AnswerLoss& image : images) {
    mean.divergence += image.divergence;
    mean.sqnr += image.sqnr;
  }
  mean.divergence /= static_cast<double>(images.size());
  mean.sqnr /= static_cast<double>(images.size());
  return mean;
}

}  // namespace

LossMeter::LossMeter(const QuantizedNetwork& network, const data::ImageSet& images, int64_t count,
                     const Context& context)
    : network_(network),
      images_(images.in_batches_of(kBatch)),
      context_(context),
      count_(std::min(count, images.size())) {
  double seconds = 0;
  float_logits_ = float_logits(network_, batches(), context.execution, seconds);
  // Images may be left out that cannot be read.
  count_ = float_logits_.size(0);
  evaluation_seconds_ = seconds * static_cast<double>(images.size()) / static_cast<double>(count_);
}

passes::NextBatch LossMeter::batches() const {
  const auto all = std::make_shared<data::Batches>(images_, context_.execution.device);
  const int64_t count = count_;
  return [all, count]() -> std::optional<at::Tensor> {
    const int64_t left = count - all->done();
    if (left <= 0) return std::nullopt;
    std::optional<at::Tensor> batch = all->next();
    if (batch && batch->size(0) > left) batch = batch->narrow(0, 0, left);
    return batch;
  };
}

std::vector<AnswerLoss> LossMeter::measure(
    const std::string& stage, const runtime::QuantizerStates& base,
    const std::vector<runtime::QuantizerVariant>& variants) const {
  // Batches come in the order in which threads finish them: a sum of what came so far would depend
  // on it in its last digits.
  std::vector<std::vector<AnswerLoss>> of_images(
      variants.size(), std::vector<AnswerLoss>(static_cast<size_t>(count_)));
  const auto total = count_ * static_cast<int64_t>(variants.size());
  int64_t done = 0;
  const auto note = [&](size_t variant, int64_t first, const at::Tensor& logits) {
    const int64_t rows = logits.size(0);
    const at::Tensor exact = float_logits_.narrow(0, first, rows);
    const std::vector<double> divergences = eval::divergences(exact, logits);
    const std::vector<double> sqnrs = eval::row_sqnrs(exact, logits);
    for (size_t row = 0; row < sqnrs.size(); ++row) {
      of_images[variant][static_cast<size_t>(first) + row] = {divergences[row], sqnrs[row]};
    }
    context_.log.progress(stage, done += rows, total);
  };
  const runtime::Execution& execution = context_.execution;
  runtime::run_variants(network_.graph, base, variants,
                        {execution.threads, execution.activation_memory}, batches(), note);
  std::vector<AnswerLoss> losses;
  for (const std::vector<AnswerLoss>& images : of_images) losses.push_back(mean_of(images));
  return losses;
}

int64_t images_for(const ir::Graph& graph, const std::vector<runtime::QuantizerVariant>& variants,
                   int64_t available, double evaluations) {
  const std::vector<size_t> stretches = runtime::stretches_of(graph);
  std::vector<double> behind(stretches.back() + 1, 0);
  size_t at = 0;
  for (const ir::Node& node : graph.nodes) {
    behind[stretches[at++]] += static_cast<double>(passes::products_of(graph, node));
  }
  for (size_t i = behind.size() - 1; i-- > 0;) behind[i] += behind[i + 1];
  double cost = 0;
  for (const size_t start : runtime::first_stretches(graph, variants)) cost += behind[start];
  cost /= std::max(behind.front(), 1.0);
  const double images = static_cast<double>(available) * evaluations / std::max(cost, 1e-9);
  const double limited = std::min(images, static_cast<double>(available));
  const int64_t eights = 8 * static_cast<int64_t>(limited / 8);
  return std::min(std::max<int64_t>(8, eights), available);
}

}  // namespace ptq::workflow
