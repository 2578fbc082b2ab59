#include "export/export.h"

#include <algorithm>
#include <set>

#include "export/exportable.h"
#include "export/onnx/file.h"
#include "export/onnx/opset.h"
#include "export/onnx/read/evaluator.h"
#include "export/onnx/read/program.h"
#include "export/onnx/write/obstacles.h"
#include "export/onnx/write/writer.h"
#include "export/torchscript/writer.h"
#include "ptq/base/error.h"

namespace ptq::exporting {
namespace {

void write_onnx(const QuantizedNetwork& network, const ExportOptions& options,
                const std::string& path) {
  onnx::ModelProto model = to_onnx(network, options);
  check_onnx_model(model, path);
  write_onnx_file(std::move(model), path);
}

}  // namespace

void check_exportable(const QuantizedNetwork& network, Format format,
                      const ExportOptions& options) {
  switch (format) {
    case Format::kOnnx:
      check_quantizers(network.table, {"ONNX", false, true, true});
      check_onnx_operations(network.graph);
      choose_opset(network.table, options);
      break;
    case Format::kTorchScript:
      check_torchscript(network);
      break;
  }
}

void write(const QuantizedNetwork& network, Format format, const ExportOptions& options,
           const std::string& path) {
  check_exportable(network, format, options);
  switch (format) {
    case Format::kOnnx:
      return write_onnx(network, options, path);
    case Format::kTorchScript:
      return write_torchscript(network, options, path);
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

std::vector<std::string> copy_onnx_with_outputs(const std::string& path,
                                                const std::vector<std::string>& names,
                                                const std::string& copy) {
  onnx::ModelProto model = read_onnx_model(path);
  onnx::GraphProto& graph = *model.mutable_graph();
  const auto& tensors = graph.initializer();
  if (std::any_of(tensors.begin(), tensors.end(),
                  [](const auto& tensor) { return tensor.external_data_size() > 0; })) {
    return {};
  }
  std::set<std::string> made;
  for (const onnx::NodeProto& node : graph.node()) made.insert(node.output(0));
  graph.clear_output();
  std::vector<std::string> outputs;
  for (const std::string& name : names) {
    if (made.count(name) == 0) continue;
    graph.add_output()->set_name(name);
    outputs.push_back(name);
  }
  write_onnx_file(std::move(model), copy);
  return outputs;
}

}  // namespace ptq::exporting
