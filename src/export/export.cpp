#include "ptq/export/export.h"

#include "export/exportable.h"
#include "export/onnx_opset.h"
#include "ptq/base/error.h"

namespace ptq::exporting {

void check_exportable(const ir::Graph& graph, const quant::QuantizerTable& table, Format format,
                      const ExportOptions& options) {
  switch (format) {
    case Format::kOnnx:
      check_common(graph, table, "ONNX");
      choose_opset(table, options);
      break;
    case Format::kTorchScript:
      check_common(graph, table, "TorchScript");
      break;
  }
}

}  // namespace ptq::exporting
