#include "parity/check_exports.h"

#include <ATen/ops/cat.h>

#include <algorithm>

#include "base/threads.h"
#include "data/normalize.h"
#include "export/export.h"
#include "parity/export_words.h"
#include "parity/onnx_runtime.h"
#include "parity/parting.h"
#include "ptq/base/error.h"
#include "ptq/runtime/executor.h"

namespace ptq::parity {
namespace {

/// Activations of a network that runs node by node are held for a batch.
constexpr int64_t kMostImages = 32;

/// Tracing runs an image twice more, one at a time.
constexpr size_t kMostTraced = 100;

/// One program that runs one of the files.
struct Runner {
  ExportedFile* file;
  std::string name;
  std::unique_ptr<exporting::ExportedModel> model;
  std::vector<at::Tensor> logits = {};
  /// Of the images with another prediction than ours, in order; the first kMostTraced.
  std::vector<std::optional<Parting>> partings = {};
  std::string failure = {};
};

std::vector<Runner> runners_of(ExportReport& report, Log& log) {
  std::vector<Runner> runners;
  for (ExportedFile& file : report.files) {
    if (file.format == "TorchScript") {
      runners.push_back(
          {&file, "LibTorch", exporting::load(file.path, exporting::Format::kTorchScript)});
      continue;
    }
    runners.push_back({&file, "evaluator", exporting::load(file.path, exporting::Format::kOnnx)});
    report.no_onnx_runtime = why_no_onnx_runtime();
    if (!report.no_onnx_runtime.empty()) {
      log.line("check       " + report.no_onnx_runtime);
      continue;
    }
    runners.push_back({&file, "ONNX Runtime without optimization",
                       load_in_onnx_runtime(file.path, Optimization::kNone)});
    runners.push_back({&file, "ONNX Runtime", load_in_onnx_runtime(file.path, Optimization::kAll)});
  }
  return runners;
}

/// Our network's and all runners' answers to the images that were asked for.
class SideBySide {
 public:
  SideBySide(const CheckOptions& options, data::Loader& images, std::vector<Runner>& runners,
             PartingFinder& finder)
      : options_(options), images_(images), runners_(runners), finder_(finder) {}

  void add_images(runtime::Executor& network, Log& log) {
    const int64_t wanted = std::min(options_.images, images_.size());
    images_.start(std::min({options_.batch_size, wanted, kMostImages}));
    while (done_ < wanted) {
      const std::optional<data::Batch> batch = images_.next();
      if (!batch) break;
      const int64_t count = std::min(wanted - done_, static_cast<int64_t>(batch->items.size()));
      const at::Tensor pixels = data::normalize(batch->pixels, options_.recipe).narrow(0, 0, count);
      add_batch(network, pixels.contiguous());
      items_.insert(items_.end(), batch->items.begin(), batch->items.begin() + count);
      done_ += count;
      log.progress("export check", done_, wanted);
    }
  }

  ExportCheck result(const Runner& runner, std::optional<double> step) const {
    ExportCheck check{runner.name, {}, {}, runner.failure};
    if (!runner.failure.empty()) return check;
    check.parity = eval::compare_logits(at::cat(logits_), at::cat(runner.logits), step);
    for (const auto& [row, margin] : check.parity.disagreeing) {
      const auto item = static_cast<size_t>(items_[static_cast<size_t>(row)]);
      const size_t at = check.disagreeing.size();
      check.disagreeing.push_back({images_.folder().items[item].path, margin, {}});
      if (at < runner.partings.size()) check.disagreeing.back().parting = runner.partings[at];
    }
    return check;
  }

 private:
  void add_batch(runtime::Executor& network, const at::Tensor& pixels) {
    logits_.push_back(network.run(pixels.to(options_.execution.device)).cpu());
    for (Runner& runner : runners_) {
      if (runner.failure.empty()) run_one(runner, pixels);
    }
  }

  void run_one(Runner& runner, const at::Tensor& pixels) {
    set_intra_op_threads(options_.execution.threads);
    try {
      runner.logits.push_back(runner.model->run(pixels));
    } catch (const ExportError& error) {
      runner.failure = error.what();
      return;
    }
    if (options_.execution.device.is_cpu()) trace(runner, pixels);
  }

  void trace(Runner& runner, const at::Tensor& pixels) {
    const at::Tensor &ours = logits_.back(), &theirs = runner.logits.back();
    for (const auto& image : eval::compare_logits(ours, theirs, {}).disagreeing) {
      if (runner.partings.size() == kMostTraced) return;
      const auto one = [&](const at::Tensor& all) { return all.narrow(0, image.row, 1); };
      runner.partings.push_back(
          finder_.find(*runner.model, one(pixels).clone(), one(ours), one(theirs)));
    }
  }

  const CheckOptions& options_;
  data::Loader& images_;
  std::vector<Runner>& runners_;
  PartingFinder& finder_;
  std::vector<at::Tensor> logits_;
  std::vector<int64_t> items_;
  int64_t done_ = 0;
};

}  // namespace

void check_exports(const QuantizedNetwork& network, data::Loader& validation,
                   const CheckOptions& options, ExportReport& report, Log& log) {
  std::vector<Runner> runners = runners_of(report, log);
  const std::optional<double> step = exporting::output_step(network);
  timed(log, "export check", [&] {
    runtime::Execution execution = options.execution;
    execution.dtype = at::kFloat;
    const auto executor = runtime::make_executor(network, execution);
    PartingFinder finder({network, execution.compile, execution.threads});
    SideBySide comparison(options, validation, runners, finder);
    comparison.add_images(*executor, log);
    for (const Runner& runner : runners) {
      runner.file->checks.push_back(comparison.result(runner, step));
    }
  });
  for (const ExportedFile& file : report.files) {
    for (const ExportCheck& check : file.checks) {
      if (!check.failure.empty()) {
        log.warning(check.failure);
        continue;
      }
      log.line(check_line(file, check));
      if (!check.disagreeing.empty()) log.warning(disagreement_sentence(file, check));
    }
  }
}

}  // namespace ptq::parity
