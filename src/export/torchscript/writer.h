#pragma once

#include "export/export.h"
#include "ptq/quant/quantized_network.h"

namespace ptq::exporting {

/// The TorchScript part of check_exportable, write and load.
void check_torchscript(const QuantizedNetwork& network);
void write_torchscript(const QuantizedNetwork& network, const ExportOptions& options,
                       const std::string& path);
std::unique_ptr<ExportedModel> load_torchscript(const std::string& path);

}  // namespace ptq::exporting
