#include <algorithm>
#include <numeric>
#include <utility>

#include "base/threads.h"
#include "eval/evaluate.h"
#include "export/export.h"
#include "import/import.h"
#include "ptq/base/error.h"
#include "ptq/quantize.h"
#include "quant/quantizer_dump.h"
#include "workflow/technique_stages.h"

namespace ptq {
namespace {

QuantizedNetwork quantized(const Graph& graph, const QuantizeConfig& config,
                           const std::optional<ImageSet>& images, const Execution& execution,
                           Log& log) {
  const Execution exact = runtime::resolved(execution);
  set_intra_op_threads(exact.threads);
  RecordingLog recording(log);
  workflow::Session session;
  return workflow::quantize(graph, config, images, {exact, recording, session}).network;
}

Accuracy evaluated(NetworkView network, runtime::Numerics numerics, const ImageSet& images,
                   const Execution& execution) {
  if (!images.folder().is_labelled()) throw DataError("images without labels cannot be evaluated");
  const Execution exact = runtime::resolved(execution);
  set_intra_op_threads(exact.threads);
  runtime::ExecutorOptions options;
  options.numerics = numerics;
  options.arithmetic = exact.arithmetic;
  const auto executor = runtime::make_executor(network, exact, std::move(options));
  eval::EvaluationOptions evaluation;
  evaluation.recipe = images.recipe();
  evaluation.device = exact.device;
  images.prefetch();
  return eval::evaluate(*executor, images.loader(), evaluation, [](int64_t /*done*/) {}).accuracy;
}

void write(const QuantizedNetwork& network, exporting::Format format, const std::string& path) {
  exporting::ExportOptions options;
  options.image_size = workflow::image_size(network.graph);
  exporting::check_exportable(network, format, options);
  exporting::write(network, format, options, path);
}

}  // namespace

Graph import_torchscript(const std::string& path, int64_t image_size) {
  import::ImportOptions options;
  options.image_size = image_size;
  return import::import_torchscript(path, options);
}

Recipe recipe(std::string_view model_name) { return data::recipe_for(model_name); }

ImageSet image_folder(const std::string& directory, const Recipe& recipe,
                      const ImageOptions& options) {
  data::ImageFolder folder = data::open_image_folder(directory, data::Labels::kOptional);
  std::vector<int64_t> items(folder.items.size());
  std::iota(items.begin(), items.end(), int64_t{0});
  if (options.count) {
    items = data::draw_calibration_items(folder, *options.count, options.sampling, options.seed);
  }
  data::LoaderOptions loader;
  loader.recipe = recipe;
  loader.workers = options.workers;
  loader.unreadable = options.unreadable;
  loader.memory_budget_bytes = options.memory_bytes;
  return ImageSet(std::move(folder), std::move(items), std::move(loader))
      .in_batches_of(options.batch_size);
}

QuantizedNetwork quantize(const Graph& graph, const QuantizeConfig& config, const ImageSet& images,
                          const Execution& execution) {
  Silence silence;
  return quantized(graph, config, images, execution, silence);
}

QuantizedNetwork quantize(const Graph& graph, const QuantizeConfig& config, const ImageSet& images,
                          const Execution& execution, Log& log) {
  return quantized(graph, config, images, execution, log);
}

QuantizedNetwork quantize(const Graph& graph, const QuantizeConfig& config,
                          const Execution& execution) {
  Silence silence;
  return quantized(graph, config, std::nullopt, execution, silence);
}

Accuracy evaluate(const QuantizedNetwork& network, const ImageSet& images,
                  const Execution& execution) {
  return evaluated(network, runtime::Numerics::kQuantized, images, execution);
}

Accuracy evaluate(const Graph& graph, const ImageSet& images, const Execution& execution) {
  return evaluated(graph, runtime::Numerics::kFloat, images, execution);
}

void write_quantizers(const QuantizedNetwork& network, const std::string& path) {
  quant::write_quantizer_dump(path, network);
}

void write_onnx(const QuantizedNetwork& network, const std::string& path) {
  write(network, exporting::Format::kOnnx, path);
}

void write_torchscript(const QuantizedNetwork& network, const std::string& path) {
  write(network, exporting::Format::kTorchScript, path);
}

}  // namespace ptq
