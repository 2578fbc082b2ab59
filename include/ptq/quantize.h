#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "ptq/base/error.h"
#include "ptq/base/invalid_option.h"
#include "ptq/base/log.h"
#include "ptq/data/image_set.h"
#include "ptq/data/sampling.h"
#include "ptq/eval/accuracy.h"
#include "ptq/quant/quantized_network.h"
#include "ptq/quantize_config.h"
#include "ptq/runtime/execution.h"

/// Post-training quantization of image classifiers in a few calls:
///
///     ptq::Graph graph = ptq::import_torchscript("net.pt");
///     ptq::QuantizeConfig config;
///     config.weights.bit_width = 4;
///     config.rounding = ptq::Gptq{};
///     const ptq::Recipe recipe = ptq::recipe("resnet18");
///     ptq::ImageSet calibration = ptq::image_folder("calib", recipe);
///     ptq::QuantizedNetwork net = ptq::quantize(graph, config, calibration);
///     ptq::write_onnx(net, "net.onnx");
///     ptq::Accuracy top1 = ptq::evaluate(net, ptq::image_folder("val", recipe));
///
/// A caller's mistake throws an Error (ptq/base/error.h).
namespace ptq {

using data::ImageSet;
using data::Recipe;
using eval::Accuracy;
using ir::Graph;
using runtime::Execution;

/// Reads a TorchScript classifier for images of `image_size` (import/import.h). Throws
/// ImportError.
Graph import_torchscript(const std::string& path, int64_t image_size = 224);

/// What torchvision publishes for a model of that name; ImageNet's usual recipe for any other.
Recipe recipe(std::string_view model_name);

struct ImageOptions {
  /// Images used, evenly from all classes; all where empty.
  std::optional<int64_t> count;
  data::CalibrationSampling sampling = data::CalibrationSampling::kStratified;
  uint64_t seed = 123456;
  int64_t batch_size = 64;
  /// Threads that decode.
  int workers = 8;
  data::UnreadableImages unreadable = data::UnreadableImages::kError;
  /// For images kept after decoding.
  int64_t memory_bytes = int64_t{2} << 30;
};

/// Images of a folder (ptq/data/image_folder.h says in which layouts), with or without labels.
/// Throws DataError.
ImageSet image_folder(const std::string& directory, const Recipe& recipe,
                      const ImageOptions& options = {});

/// Prepares, places, calibrates and corrects, in the reference's order: what `config` asks for and
/// no more. `images` calibrate. Throws ConfigError (InvalidOption), DataError, QuantizationError.
QuantizedNetwork quantize(const Graph& graph, const QuantizeConfig& config, const ImageSet& images,
                          const Execution& execution = {});
QuantizedNetwork quantize(const Graph& graph, const QuantizeConfig& config, const ImageSet& images,
                          const Execution& execution, Log& log);
/// Without images. Throws InvalidOption where the configuration needs some (needs_images).
QuantizedNetwork quantize(const Graph& graph, const QuantizeConfig& config,
                          const Execution& execution = {});

/// Top-1 and top-5 of a quantized network, and of the float one. Throws DataError for images
/// without labels.
Accuracy evaluate(const QuantizedNetwork& network, const ImageSet& images,
                  const Execution& execution = {});
Accuracy evaluate(const Graph& graph, const ImageSet& images, const Execution& execution = {});

/// Scales, zero points and formats of a network as JSON, for QuantizeConfig::quantizers_file.
/// Throws OutputError naming the file.
void write_quantizers(const QuantizedNetwork& network, const std::string& path);

/// Files for other programs (export/export.h). Throws ExportError naming layer or file.
void write_onnx(const QuantizedNetwork& network, const std::string& path);
void write_torchscript(const QuantizedNetwork& network, const std::string& path);

}  // namespace ptq
