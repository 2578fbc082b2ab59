// GPTQ by one sweep through the network, and the way of Brevitas: for every layer, the images go
// through the network again up to that layer. Both with our own kernels, W4A8, weights per channel;
// the second reads (decodes) the images again for every layer, as its loader does, or keeps them
// (--keep-images).

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>

#include "base/threads.h"
#include "data/normalize.h"
#include "import/import.h"
#include "passes/pipeline.h"
#include "ptq/backends/placement.h"
#include "ptq/data/image_folder.h"
#include "ptq/data/loader.h"
#include "ptq/data/sampling.h"
#include "ptq/passes/round_weights.h"

namespace {

using namespace ptq;

struct Options {
  std::string model, folder;
  int64_t images = 200;
  int threads = 2;
  bool keep_images = false;
};

class Images {
 public:
  explicit Images(const Options& options)
      : recipe_(data::recipe_for("")), loader_(make(options, recipe_)) {}

  passes::NextBatch from_the_first() {
    loader_.start(64);
    return [this]() -> std::optional<at::Tensor> {
      const auto batch = loader_.next();
      if (!batch) return std::nullopt;
      return data::normalize(batch->pixels, recipe_);
    };
  }

 private:
  static data::Loader make(const Options& options, const data::Recipe& recipe) {
    data::LoaderOptions loader;
    loader.recipe = recipe;
    loader.workers = options.threads;
    loader.memory_budget_bytes = options.keep_images ? int64_t{1} << 32 : 0;
    data::ImageFolder folder = data::open_image_folder(options.folder);
    std::vector<int64_t> items;
    for (int64_t i = 0; i < options.images; ++i) items.push_back(i);
    return data::Loader(std::move(folder), items, loader);
  }

  data::Recipe recipe_;
  data::Loader loader_;
};

using Quantized = QuantizedNetwork;

Quantized quantize(const Options& options, Images& images) {
  ir::Graph graph = import::import_torchscript(options.model, {});
  passes::prepare(graph, {});
  backends::PlacementOptions placement;
  placement.weights.format = quant::IntegerFormat{4, true, false};
  placement.weights.granularity = quant::Granularity::kPerChannel;
  Quantized net = backends::place(backends::Backend::kFx, std::move(graph), placement);
  passes::initialize_weight_scales(net);
  passes::CalibrationOptions calibration;
  calibration.execution.threads = options.threads;
  passes::calibrate_activations(net, calibration, images.from_the_first());
  return net;
}

template <class Work>
double seconds_of(Work&& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void round_in_one_sweep(Quantized net, const Options& options, Images& images) {
  passes::RoundingOptions rounding;
  rounding.threads = options.threads;
  passes::round_weights(net, rounding, {}, images.from_the_first());
}

void round_layer_by_layer(Quantized net, const Options& options, Images& images) {
  for (const ir::Node& layer : net.graph.nodes) {
    if (ir::weighted(layer.op) == nullptr) continue;
    passes::RoundingOptions rounding;
    rounding.threads = options.threads;
    rounding.rounds = [&](const ir::Node& node) { return &node == &layer; };
    passes::round_weights(net, rounding, {}, images.from_the_first());
  }
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("GPTQ in one sweep, and layer by layer from the images");
  app.add_option("model", options.model)->required();
  app.add_option("folder", options.folder)->required();
  app.add_option("--images", options.images);
  app.add_option("--threads", options.threads);
  app.add_flag("--keep-images", options.keep_images);
  CLI11_PARSE(app, argc, argv);
  set_intra_op_threads(options.threads);
  Images images(options);
  const Quantized net = quantize(options, images);
  const double sweep = seconds_of([&] { round_in_one_sweep(net, options, images); });
  std::printf("one sweep       %8.2f s\n", sweep);
  std::fflush(stdout);
  const double again = seconds_of([&] { round_layer_by_layer(net, options, images); });
  std::printf("layer by layer  %8.2f s, %.1f times as long\n", again, again / sweep);
}
