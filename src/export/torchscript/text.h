#pragma once

#include "export/torchscript/script_builder.h"
#include "ptq/quant/quantized_network.h"

namespace ptq::exporting {

/// The calibrated graph as a forward in TorchScript, computing what the interpreter computes with
/// quantizers on, call by call. Throws ExportError as opaque_call does.
ScriptText script_text(const QuantizedNetwork& network);

}  // namespace ptq::exporting
