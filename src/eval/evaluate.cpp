#include "eval/evaluate.h"

#include <ATen/ops/empty.h>
#include <c10/core/InferenceMode.h>

#include <chrono>
#include <cmath>
#include <cstring>
#include <string>

#include "data/normalize.h"
#include "ptq/base/error.h"

namespace ptq::eval {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// FNV-1a over the bit patterns.
uint64_t fingerprint(const float* logits, int64_t classes) {
  uint64_t hash = 0xcbf29ce484222325ULL;
  for (int64_t i = 0; i < classes; ++i) {
    uint32_t bits = 0;
    std::memcpy(&bits, logits + i, sizeof bits);
    hash = (hash ^ bits) * 0x100000001b3ULL;
  }
  return hash;
}

bool all_finite(const float* logits, int64_t classes) {
  for (int64_t i = 0; i < classes; ++i) {
    if (!std::isfinite(logits[i])) return false;
  }
  return true;
}

void record(Evaluation& evaluation, const float* logits, int64_t label, int64_t item) {
  const int64_t classes = evaluation.classes;
  const int64_t prediction = predict(logits, classes);
  const bool right = prediction == label;
  evaluation.items.push_back(item);
  evaluation.predictions.push_back(prediction);
  evaluation.right.push_back(right ? 1 : 0);
  evaluation.fingerprints.push_back(fingerprint(logits, classes));
  evaluation.not_finite += all_finite(logits, classes) ? 0 : 1;
  ++evaluation.accuracy.count;
  evaluation.accuracy.correct += right ? 1 : 0;
  evaluation.accuracy.correct_top5 += in_top(logits, classes, label, 5) ? 1 : 0;
}

void record_batch(Evaluation& evaluation, const data::Batch& batch, const at::Tensor& logits) {
  if (logits.dim() != 2 || logits.size(0) != static_cast<int64_t>(batch.items.size())) {
    throw InternalError("the network answered a batch of " + std::to_string(batch.items.size()) +
                        " images with " + std::to_string(logits.size(0)) + " rows");
  }
  evaluation.classes = logits.size(1);
  for (int64_t i = 0; i < logits.size(0); ++i) {
    const auto at = static_cast<size_t>(i);
    record(evaluation, logits.data_ptr<float>() + i * evaluation.classes, batch.labels[at],
           batch.items[at]);
  }
}

at::Tensor rows_as_one(const std::vector<float>& rows, int64_t classes) {
  const auto count = classes == 0 ? 0 : static_cast<int64_t>(rows.size()) / classes;
  at::Tensor all = at::empty({count, classes}, at::kFloat);
  std::memcpy(all.data_ptr<float>(), rows.data(), rows.size() * sizeof(float));
  return all;
}

}  // namespace

Evaluation evaluate(runtime::Executor& executor, data::Loader& loader,
                    const EvaluationOptions& options, const Progress& progress) {
  const c10::InferenceMode no_gradients;
  Evaluation evaluation;
  std::vector<float> kept;
  at::Tensor rows;  // mapping memory anew for every batch takes longer than filling it
  Clock::time_point start = Clock::now();
  while (const std::optional<data::Batch> batch = loader.next()) {
    evaluation.waiting_seconds += seconds_since(start);
    start = Clock::now();
    const at::Tensor images =
        data::normalize(batch->pixels, options.recipe, rows).to(options.device);
    const at::Tensor logits = executor.run(images).to(at::kCPU).contiguous();
    evaluation.network_seconds += seconds_since(start);
    record_batch(evaluation, *batch, logits);
    if (options.keep_logits) {
      kept.insert(kept.end(), logits.data_ptr<float>(), logits.data_ptr<float>() + logits.numel());
    }
    progress(evaluation.accuracy.count);
    start = Clock::now();
  }
  if (options.keep_logits) evaluation.logits = rows_as_one(kept, evaluation.classes);
  return evaluation;
}

Evaluation evaluation_of(const at::Tensor& logits, const data::ImageFolder& folder,
                         const std::vector<int64_t>& items) {
  Evaluation evaluation;
  evaluation.classes = logits.size(1);
  evaluation.logits = logits;
  for (size_t i = 0; i < items.size(); ++i) {
    const float* row = logits.data_ptr<float>() + static_cast<int64_t>(i) * evaluation.classes;
    const int64_t label = folder.items.at(static_cast<size_t>(items[i])).label;
    record(evaluation, row, label, items[i]);
  }
  return evaluation;
}

}  // namespace ptq::eval
