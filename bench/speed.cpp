// Images per second of one TorchScript file, side by side: the best float LibTorch gives (frozen in
// channels-last, and optimize_for_inference, each over six micro-batches), our float plan, our W8A8
// plan in floats and on integers, and ONNX Runtime on the files that we export, float and W8A8. The
// contenders take turns, so that a busy machine disturbs all of them alike.

#include <ATen/ops/randn.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/threads.h"
#include "export/export.h"
#include "import/import.h"
#include "libtorch_float.h"
#include "onnx_runtime_speed.h"
#include "passes/pipeline.h"
#include "ptq/backends/placement.h"
#include "ptq/passes/calibrate.h"
#include "ptq/runtime/executor.h"
#include "random_resnet18.h"
#include "support/temporary_folder.h"

namespace {

using Preparation = ptq::bench::LibtorchFloat::Preparation;

struct Options {
  std::vector<std::string> models;
  int64_t image_size = 224;
  int64_t images = 64;
  int threads = 2;
  int rounds = 5;
  double tuning_seconds = 1;
  /// Contenders whose names have this in them.
  std::string only;

  bool wants(const std::string& name) const { return name.find(only) != std::string::npos; }
};

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

struct Contender {
  std::string name;
  /// Classifies some images and returns how many it did in a second.
  std::function<double()> turn;
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

/// Time for the threads of the contender before, which wait for more work actively, to go to sleep.
constexpr std::chrono::milliseconds kPause{50};

/// Runs `work`, which takes `images` images.
std::function<double()> timed(int64_t images, std::function<void()> work) {
  return
      [images, work = std::move(work)] { return static_cast<double>(images) / seconds_of(work); };
}

/// The same until `least` images are done, after a call that is not timed.
std::function<double()> timed_calls(int64_t images, int64_t least, std::function<void()> work) {
  const int64_t calls = (least + images - 1) / images;
  return [images, calls, work = std::move(work)] {
    work();
    const double seconds = seconds_of([&] {
      for (int64_t call = 0; call < calls; ++call) work();
    });
    return static_cast<double>(images * calls) / seconds;
  };
}

/// Fastest of the calls that fit into `seconds`, after two that let LibTorch specialise.
double best_rate(const Contender& contender, double seconds) {
  contender.turn();
  contender.turn();
  double fastest = 0;
  const auto start = std::chrono::steady_clock::now();
  do {
    fastest = std::max(fastest, contender.turn());
  } while (std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() <
           seconds);
  return fastest;
}

/// A batch of 32 is not tried where one of 16 takes seconds, as on a BLAS without vectors.
constexpr double kSlowestImages = 4;

Contender best_libtorch(const std::string& path, const Options& options) {
  Contender best{"LibTorch float", {}, {0}};
  for (const auto& [name, preparation] :
       {std::pair{"freeze, channels-last", Preparation::kFrozenChannelsLast},
        std::pair{"optimize_for_inference", Preparation::kOptimizedForInference}}) {
    for (const int64_t batch : {1, 2, 4, 8, 16, 32}) {
      auto model = std::make_shared<ptq::bench::LibtorchFloat>(path, preparation);
      const at::Tensor images = random_images(options, batch);
      const auto work = [model, images] { model->run(images); };
      Contender contender{
          "LibTorch float (" + std::string(name) + ", " + std::to_string(batch) + ")",
          timed(batch, work)};
      const double rate = best_rate(contender, options.tuning_seconds);
      std::printf("    %-46s %8.1f images/s\n", contender.name.c_str(), rate);
      std::fflush(stdout);
      if (rate > best.best()) {
        best = {contender.name, timed_calls(batch, options.images, work), {rate}};
      }
      if (rate < kSlowestImages) break;
    }
  }
  best.rates.clear();
  return best;
}

/// Adds ONNX Runtime on a graph exported as ONNX, or says why not.
void add_onnx_runtime(const std::string& name, const ptq::QuantizedNetwork& network,
                      const Options& options, std::vector<Contender>& contenders) {
  if (!options.wants(name)) return;
  const std::string missing = ptq::bench::why_no_onnx_runtime();
  if (!missing.empty()) {
    std::printf("    %s\n", missing.c_str());
    return;
  }
  const ptq::support::TemporaryFolder folder;
  const std::string file = folder.file("network.onnx");
  ptq::exporting::write(network, ptq::exporting::Format::kOnnx, {{}, false, {}, options.image_size},
                        file);
  const auto runtime = std::make_shared<ptq::bench::OnnxRuntimeSpeed>(ptq::bench::OnnxRuntimeJob{
      file, options.image_size, options.threads, options.tuning_seconds});
  contenders.push_back({name + " (" + std::to_string(runtime->batch()) + ")",
                        [runtime, &options] { return runtime->rate(options.images); }});
}

using Quantized = ptq::QuantizedNetwork;

Quantized quantize(ptq::ir::Graph graph, const Options& options) {
  ptq::passes::prepare(graph, {});
  Quantized result = ptq::backends::place(ptq::backends::Backend::kFx, std::move(graph), {});
  ptq::passes::initialize_weight_scales(result);
  ptq::passes::CalibrationOptions calibration;
  calibration.execution.threads = options.threads;
  bool first = true;
  ptq::passes::calibrate_activations(result, calibration, [&]() -> std::optional<at::Tensor> {
    if (!std::exchange(first, false)) return std::nullopt;
    return random_images(options, 8);
  });
  return result;
}

/// One pass of percentile calibration: a float run with every statistic of the graph taken.
Contender calibration(const Quantized& quantized, const Options& options) {
  const at::Tensor images = random_images(options, options.images);
  auto network = std::make_shared<Quantized>(quantized);
  return {"calibration pass", timed(options.images, [network, images, &options] {
            ptq::passes::CalibrationOptions calibration;
            calibration.execution.threads = options.threads;
            bool first = true;
            ptq::passes::calibrate_activations(
                *network, calibration, [&]() -> std::optional<at::Tensor> {
                  return std::exchange(first, false) ? std::optional(images) : std::nullopt;
                });
          })};
}

Contender plan(const std::string& name, const ptq::QuantizedNetwork& network,
               ptq::runtime::Numerics numerics, const Options& options,
               ptq::runtime::Arithmetic arithmetic = ptq::runtime::Arithmetic::kFloat) {
  ptq::runtime::ExecutorOptions executor_options;
  executor_options.arithmetic = arithmetic;
  executor_options.numerics = numerics;
  executor_options.threads = options.threads;
  std::shared_ptr<ptq::runtime::Executor> executor;
  const double build =
      seconds_of([&] { executor = ptq::runtime::make_plan(network, std::move(executor_options)); });
  std::printf("    %s: built in %.2f s\n", name.c_str(), build);
  const at::Tensor images = random_images(options, options.images);
  return {name, timed(options.images, [executor, images] { executor->run(images); })};
}

std::vector<Contender> contenders_of(const std::string& path, const ptq::ir::Graph& graph,
                                     const Quantized& quantized, const Options& options) {
  using ptq::runtime::Arithmetic;
  const auto add_w8a8 = [&](const std::string& name, Arithmetic arithmetic,
                            std::vector<Contender>& contenders) {
    if (!options.wants(name)) return;
    contenders.push_back(
        plan(name, quantized, ptq::runtime::Numerics::kQuantized, options, arithmetic));
  };
  std::vector<Contender> contenders;
  if (options.wants("LibTorch float")) contenders.push_back(best_libtorch(path, options));
  if (options.wants("float plan")) {
    contenders.push_back(plan("float plan", {graph, {}}, ptq::runtime::Numerics::kFloat, options));
  }
  add_w8a8("W8A8 plan, floats", Arithmetic::kFloat, contenders);
  add_w8a8("W8A8 plan, integers", Arithmetic::kInteger, contenders);
  add_onnx_runtime("ONNX Runtime float", {graph, {}}, options, contenders);
  add_onnx_runtime("ONNX Runtime W8A8", quantized, options, contenders);
  if (options.wants("calibration pass")) contenders.push_back(calibration(quantized, options));
  return contenders;
}

/// The best rate of the contender whose name starts with `name`; 0 where there is none.
double best_of(const std::vector<Contender>& contenders, const std::string& name) {
  for (const Contender& contender : contenders) {
    if (contender.name.rfind(name, 0) == 0) return contender.best();
  }
  return 0;
}

std::string ratio(double rate, double reference) {
  if (reference == 0) return "-";
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%.2f", rate / reference);
  return text.data();
}

void print_table(const std::vector<Contender>& contenders) {
  const double libtorch = best_of(contenders, "LibTorch float");
  const double onnx_runtime = best_of(contenders, "ONNX Runtime W8A8");
  std::printf(
      "| contender | best images/s | median images/s | over LibTorch's float | over ONNX Runtime's "
      "W8A8 |\n|---|---|---|---|---|\n");
  for (const Contender& contender : contenders) {
    std::printf("| %s | %.1f | %.1f | %s | %s |\n", contender.name.c_str(), contender.best(),
                contender.median(), ratio(contender.best(), libtorch).c_str(),
                ratio(contender.best(), onnx_runtime).c_str());
  }
  std::fflush(stdout);
}

void compare(const std::string& path, const Options& options) {
  const ptq::ir::Graph graph = ptq::import::import_torchscript(path, {options.image_size});
  const Quantized quantized = quantize(graph, options);
  std::vector<Contender> contenders = contenders_of(path, graph, quantized, options);
  for (int round = 0; round <= options.rounds; ++round) {
    for (Contender& contender : contenders) {
      std::this_thread::sleep_for(kPause);
      const double rate = contender.turn();
      if (round > 0) contender.rates.push_back(rate);
    }
  }
  print_table(contenders);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"Images per second of LibTorch, of our plans and of ONNX Runtime"};
  app.add_option("models", options.models,
                 "TorchScript files; the word resnet18 is a ResNet18 with random weights")
      ->required();
  app.add_option("--image-size", options.image_size, "Height and width");
  app.add_option("--images", options.images, "Images a turn");
  app.add_option("--threads", options.threads, "Cores");
  app.add_option("--rounds", options.rounds, "Turns of each contender");
  app.add_option("--tuning-seconds", options.tuning_seconds,
                 "For each configuration of LibTorch and of ONNX Runtime");
  app.add_option("--only", options.only, "Contenders with this in their name: integers");
  CLI11_PARSE(app, argc, argv);
  ptq::set_intra_op_threads(options.threads);
  const ptq::support::TemporaryFolder folder;
  for (const std::string& model : options.models) {
    std::printf("%s\n", model.c_str());
    const bool random = model == "resnet18";
    const std::string path = random ? folder.file("resnet18.pt") : model;
    if (random) ptq::bench::write_random_resnet18(path);
    compare(path, options);
  }
  return 0;
}
