#include "export_check.h"

#include <ATen/ops/cat.h>

#include "onnx_runtime.h"
#include "parting.h"
#include "ptq/base/error.h"
#include "ptq/base/threads.h"
#include "ptq/data/normalize.h"
#include "ptq/export/export.h"
#include "ptq/runtime/executor.h"
#include "report_exports.h"

namespace ptq::cli {
namespace {

/// Activations of a network that runs node by node are held for a batch.
constexpr int64_t kMostImages = 32;

/// One program that runs one of the files.
struct Runner {
  ExportedFile* file;
  std::string name;
  std::unique_ptr<exporting::ExportedModel> model;
  std::vector<at::Tensor> logits = {};
  /// The first image with another prediction than ours.
  at::Tensor disagreement = {};
  std::string failure = {};
};

std::vector<Runner> runners_of(Run& run, ExportReport& report) {
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
      run.log.line("check       " + report.no_onnx_runtime);
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
  SideBySide(Run& run, ImageSets& images, std::vector<Runner>& runners)
      : run_(run), images_(images), runners_(runners) {}

  void add_images(runtime::Executor& network) {
    const Config& config = run_.config;
    const int64_t wanted = std::min(config.exports.checked_images, images_.validation().size());
    images_.validation().start(std::min({config.batch_size_validation, wanted, kMostImages}));
    while (done_ < wanted) {
      const std::optional<data::Batch> batch = images_.validation().next();
      if (!batch) break;
      const int64_t count = std::min(wanted - done_, static_cast<int64_t>(batch->items.size()));
      const at::Tensor pixels = data::normalize(batch->pixels, config.recipe).narrow(0, 0, count);
      add_batch(network, pixels.contiguous());
      items_.insert(items_.end(), batch->items.begin(), batch->items.begin() + count);
      done_ += count;
      run_.log.progress("export check", done_, wanted);
    }
  }

  ExportCheck result(const Runner& runner, std::optional<double> step) const {
    ExportCheck check{runner.name, {}, {}, {}, runner.failure};
    if (!runner.failure.empty()) return check;
    check.parity = eval::compare_logits(at::cat(logits_), at::cat(runner.logits), step);
    for (const int64_t row : check.parity.disagreeing) {
      const int64_t item = items_[static_cast<size_t>(row)];
      check.disagreeing.push_back(
          images_.validation_folder().items[static_cast<size_t>(item)].path);
    }
    return check;
  }

 private:
  void add_batch(runtime::Executor& network, const at::Tensor& pixels) {
    logits_.push_back(network.run(pixels.to(run_.config.device)).cpu());
    for (Runner& runner : runners_) {
      if (runner.failure.empty()) run_one(runner, pixels);
    }
  }

  void run_one(Runner& runner, const at::Tensor& pixels) {
    set_intra_op_threads(run_.config.threads);
    try {
      runner.logits.push_back(runner.model->run(pixels));
    } catch (const ExportError& error) {
      runner.failure = error.what();
      return;
    }
    if (runner.disagreement.defined()) return;
    const auto parity = eval::compare_logits(logits_.back(), runner.logits.back(), {});
    if (parity.disagreeing.empty()) return;
    runner.disagreement = pixels.narrow(0, parity.disagreeing.front(), 1).clone();
  }

  Run& run_;
  ImageSets& images_;
  std::vector<Runner>& runners_;
  std::vector<at::Tensor> logits_;
  std::vector<int64_t> items_;
  int64_t done_ = 0;
};

}  // namespace

void check_exports(Run& run, const ir::Graph& graph, const quant::QuantizerTable& table,
                   ImageSets& images, ExportReport& report) {
  const Config& config = run.config;
  std::vector<Runner> runners = runners_of(run, report);
  const std::optional<double> step = exporting::output_step(graph, table);
  timed(run, "export check", [&] {
    runtime::ExecutorOptions options;
    options.threads = config.threads;
    const auto network = config.compile ? runtime::make_plan(graph, table, options)
                                        : runtime::make_interpreter(graph, table, options);
    SideBySide comparison(run, images, runners);
    comparison.add_images(*network);
    for (const Runner& runner : runners) {
      ExportCheck check = comparison.result(runner, step);
      if (runner.disagreement.defined() && config.device.is_cpu()) {
        const Streams streams{graph, table, config.compile};
        check.parting = first_parting(streams, *runner.model, runner.disagreement);
      }
      runner.file->checks.push_back(std::move(check));
    }
  });
  for (const ExportedFile& file : report.files) {
    for (const ExportCheck& check : file.checks) {
      if (!check.failure.empty()) {
        warn(run, check.failure);
        continue;
      }
      run.log.line(check_line(file, check));
      if (!check.disagreeing.empty()) warn(run, disagreement_sentence(file, check));
    }
  }
}

}  // namespace ptq::cli
