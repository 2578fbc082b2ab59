#pragma once

#include <onnx/onnx_pb.h>

#include "export/export.h"

namespace ptq::exporting {

/// The calibrated network as an ONNX model of one input and one output, with a batch of any size.
onnx::ModelProto to_onnx(NetworkView network, const ExportOptions& options);

}  // namespace ptq::exporting
