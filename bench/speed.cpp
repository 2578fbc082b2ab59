// Images per second of one TorchScript file, side by side: the best float LibTorch gives (frozen in
// channels-last, and optimize_for_inference, each over six micro-batches), our float plan, and our
// W8A8 plan. The contenders take turns, so that a busy machine disturbs all of them alike.

#include <ATen/ops/randn.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>

#include "base/threads.h"
#include "import/import.h"
#include "libtorch_float.h"
#include "passes/pipeline.h"
#include "ptq/backends/placement.h"
#include "ptq/passes/calibrate.h"
#include "ptq/runtime/executor.h"

namespace {

using Preparation = ptq::bench::LibtorchFloat::Preparation;

struct Options {
  std::vector<std::string> models;
  int64_t image_size = 224;
  int64_t images = 64;
  int threads = 2;
  int rounds = 5;
  double tuning_seconds = 1;
  bool skip_libtorch = false;
};

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Something that classifies `images` images a call.
struct Contender {
  std::string name;
  int64_t images = 1;
  std::function<void()> work;
  std::vector<double> rates = {};

  double best() const { return *std::max_element(rates.begin(), rates.end()); }
  double median() const {
    std::vector<double> sorted = rates;
    std::sort(sorted.begin(), sorted.end());
    return sorted[sorted.size() / 2];
  }
};

at::Tensor random_images(const Options& options, int64_t count) {
  return at::randn({count, 3, options.image_size, options.image_size})
      .contiguous(at::MemoryFormat::ChannelsLast);
}

/// Fastest of the calls that fit into `seconds`, after two that let LibTorch specialise.
double best_rate(const Contender& contender, double seconds) {
  contender.work();
  contender.work();
  double spent = 0, fastest = 1e9;
  do {
    const double once = seconds_of(contender.work);
    fastest = std::min(fastest, once);
    spent += once;
  } while (spent < seconds);
  return static_cast<double>(contender.images) / fastest;
}

Contender best_libtorch(const std::string& path, const Options& options) {
  Contender best{"none", 1, {}, {0}};
  for (const auto& [name, preparation] :
       {std::pair{"freeze, channels-last", Preparation::kFrozenChannelsLast},
        std::pair{"optimize_for_inference", Preparation::kOptimizedForInference}}) {
    for (const int64_t batch : {1, 2, 4, 8, 16, 32}) {
      auto model = std::make_shared<ptq::bench::LibtorchFloat>(path, preparation);
      const at::Tensor images = random_images(options, batch);
      Contender contender{std::string(name) + ", " + std::to_string(batch), batch,
                          [model, images] { model->run(images); }};
      const double rate = best_rate(contender, options.tuning_seconds);
      std::printf("    %-28s %8.1f images/s\n", contender.name.c_str(), rate);
      std::fflush(stdout);
      if (rate > best.best()) {
        best = std::move(contender);
        best.rates = {rate};
      }
    }
  }
  best.rates.clear();
  return best;
}

struct Quantized {
  ptq::ir::Graph graph;
  ptq::quant::QuantizerTable table;
};

Quantized quantize(ptq::ir::Graph graph, const Options& options) {
  ptq::passes::prepare(graph, {});
  Quantized result;
  result.table = ptq::backends::place(ptq::backends::Backend::kFx, graph, {});
  ptq::passes::initialize_weight_scales(graph, result.table);
  ptq::passes::CalibrationOptions calibration;
  calibration.threads = options.threads;
  bool first = true;
  ptq::passes::calibrate_activations(graph, result.table, calibration,
                                     [&]() -> std::optional<at::Tensor> {
                                       if (!std::exchange(first, false)) return std::nullopt;
                                       return random_images(options, 8);
                                     });
  result.graph = std::move(graph);
  return result;
}

/// One pass of percentile calibration: a float run with every statistic of the graph taken.
Contender calibration(const Quantized& quantized, const Options& options) {
  const at::Tensor images = random_images(options, options.images);
  auto table = std::make_shared<ptq::quant::QuantizerTable>(quantized.table);
  return {"calibration pass", options.images, [&quantized, table, images, &options] {
            ptq::passes::CalibrationOptions calibration;
            calibration.threads = options.threads;
            bool first = true;
            ptq::passes::calibrate_activations(
                quantized.graph, *table, calibration, [&]() -> std::optional<at::Tensor> {
                  return std::exchange(first, false) ? std::optional(images) : std::nullopt;
                });
          }};
}

Contender plan(const std::string& name, const ptq::ir::Graph& graph,
               const ptq::quant::QuantizerTable& table, ptq::runtime::Numerics numerics,
               const Options& options,
               ptq::runtime::Arithmetic arithmetic = ptq::runtime::Arithmetic::kFloat) {
  ptq::runtime::ExecutorOptions executor_options;
  executor_options.arithmetic = arithmetic;
  executor_options.numerics = numerics;
  executor_options.threads = options.threads;
  std::shared_ptr<ptq::runtime::Executor> executor;
  const double build = seconds_of(
      [&] { executor = ptq::runtime::make_plan(graph, table, std::move(executor_options)); });
  std::printf("    %s: built in %.2f s\n", name.c_str(), build);
  const at::Tensor images = random_images(options, options.images);
  return {name, options.images, [executor, images] { executor->run(images); }};
}

void compare(const std::string& path, const Options& options) {
  std::printf("%s\n", path.c_str());
  const ptq::ir::Graph graph = ptq::import::import_torchscript(path, {options.image_size});
  const Quantized quantized = quantize(graph, options);
  std::vector<Contender> contenders;
  using ptq::runtime::Numerics;
  contenders.push_back(plan("float plan", graph, {}, Numerics::kFloat, options));
  contenders.push_back(
      plan("W8A8 plan", quantized.graph, quantized.table, Numerics::kQuantized, options));
  contenders.push_back(plan("W8A8 plan, integers", quantized.graph, quantized.table,
                            Numerics::kQuantized, options, ptq::runtime::Arithmetic::kInteger));
  contenders.push_back(calibration(quantized, options));
  if (!options.skip_libtorch) contenders.push_back(best_libtorch(path, options));
  for (int round = 0; round <= options.rounds; ++round) {
    for (Contender& contender : contenders) {
      const double once = seconds_of(contender.work);
      if (round > 0) contender.rates.push_back(static_cast<double>(contender.images) / once);
    }
  }
  const double reference = contenders.back().best();
  std::printf(
      "| contender | best images/s | median images/s | best over LibTorch's "
      "|\n|---|---|---|---|\n");
  for (const Contender& contender : contenders) {
    std::printf("| %s | %.1f | %.1f | %.2f |\n", contender.name.c_str(), contender.best(),
                contender.median(), contender.best() / reference);
  }
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"Images per second: LibTorch's best float, our float plan, our W8A8 plan"};
  app.add_option("models", options.models, "TorchScript files")->required();
  app.add_option("--image-size", options.image_size, "Height and width");
  app.add_option("--images", options.images, "Images a call of a plan");
  app.add_option("--threads", options.threads, "Cores");
  app.add_option("--rounds", options.rounds, "Turns of each contender");
  app.add_option("--tuning-seconds", options.tuning_seconds, "For each configuration of LibTorch");
  app.add_flag("--skip-libtorch", options.skip_libtorch, "Only the plans");
  CLI11_PARSE(app, argc, argv);
  ptq::set_intra_op_threads(options.threads);
  for (const std::string& path : options.models) compare(path, options);
  return 0;
}
