#pragma once

#include "export/export.h"

namespace ptq::exporting {

/// The TorchScript part of check_exportable, write and load.
void check_torchscript(const ir::Graph& graph, const quant::QuantizerTable& table);
void write_torchscript(const ir::Graph& graph, const quant::QuantizerTable& table,
                       const ExportOptions& options, const std::string& path);
std::unique_ptr<ExportedModel> load_torchscript(const std::string& path);

}  // namespace ptq::exporting
