#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ptq/quant/quantized_network.h"

/// Writing a quantized network as a file that other programs run, and running what was written.
namespace ptq::exporting {

enum class Format { kOnnx, kTorchScript };

struct ExportOptions {
  /// Of ONNX; none is 13, or the lowest that what is exported needs.
  std::optional<int> opset;
  /// ONNX: weights of up to 4 bits as int4 tensors (opset 21), instead of int8 with a Clip.
  bool int4_weights = false;
  /// Written into the file: the configuration, versions.
  std::map<std::string, std::string> metadata;
  /// Side of the square images.
  int64_t image_size = 224;
};

/// Throws ExportError, naming layer or operation and the reason, if `format` cannot say what the
/// placed graph computes: minifloats, dynamic or per-group scales, opaque operators, ... Scales
/// need not be known yet, so that it can be asked before calibration.
void check_exportable(const QuantizedNetwork& network, Format format, const ExportOptions& options);

/// Writes the calibrated graph to `path`, which appears whole or not at all. ONNX of more than
/// 2 GiB keeps its weights in `path`.data. Throws ExportError naming file and reason.
void write(const QuantizedNetwork& network, Format format, const ExportOptions& options,
           const std::string& path);

using NamedValues = std::map<std::string, at::Tensor>;

/// An exported file, loaded again.
class ExportedModel {
 public:
  virtual ~ExportedModel() = default;
  /// images [N, 3, H, W] float32 to [N, classes] float32.
  virtual at::Tensor run(const at::Tensor& images) = 0;
  /// Those of the file's values that have one of these names, as they are for these images: to find
  /// where two streams part. Values of the exported graph keep their names in ONNX; empty where a
  /// format has no names for them.
  virtual NamedValues values(const at::Tensor& images, const std::vector<std::string>& names) = 0;
};

/// TorchScript runs in LibTorch. ONNX runs in an evaluator of this project that knows nothing of
/// the graph it was written from. Throws ExportError naming the file and what it cannot read.
std::unique_ptr<ExportedModel> load(const std::string& path, Format format);

/// Copies the ONNX model `path` to `copy` with other outputs: those of `names` that its nodes make,
/// which are returned in their order. Nothing happens where the model keeps its tensors in a second
/// file. Throws ExportError or OutputError.
std::vector<std::string> copy_onnx_with_outputs(const std::string& path,
                                                const std::vector<std::string>& names,
                                                const std::string& copy);

}  // namespace ptq::exporting
