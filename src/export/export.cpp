#include "ptq/export/export.h"

#include "export/exportable.h"
#include "export/onnx_evaluator.h"
#include "export/onnx_file.h"
#include "export/onnx_obstacles.h"
#include "export/onnx_opset.h"
#include "export/onnx_writer.h"
#include "export/torchscript.h"
#include "ptq/base/error.h"

namespace ptq::exporting {
namespace {

void write_onnx(const ir::Graph& graph, const quant::QuantizerTable& table,
                const ExportOptions& options, const std::string& path) {
  onnx::ModelProto model = to_onnx(graph, table, options);
  check_onnx_model(model, path);
  write_onnx_file(std::move(model), path);
}

}  // namespace

void check_exportable(const ir::Graph& graph, const quant::QuantizerTable& table, Format format,
                      const ExportOptions& options) {
  switch (format) {
    case Format::kOnnx:
      check_quantizers(table, {"ONNX", false, true, true});
      check_onnx_operations(graph);
      choose_opset(table, options);
      break;
    case Format::kTorchScript:
      check_torchscript(graph, table);
      break;
  }
}

void write(const ir::Graph& graph, const quant::QuantizerTable& table, Format format,
           const ExportOptions& options, const std::string& path) {
  check_exportable(graph, table, format, options);
  switch (format) {
    case Format::kOnnx:
      return write_onnx(graph, table, options, path);
    case Format::kTorchScript:
      return write_torchscript(graph, table, options, path);
  }
}

std::unique_ptr<ExportedModel> load(const std::string& path, Format format) {
  switch (format) {
    case Format::kOnnx:
      return load_onnx(path);
    case Format::kTorchScript:
      return load_torchscript(path);
  }
  throw InternalError("unknown export format");
}

}  // namespace ptq::exporting
