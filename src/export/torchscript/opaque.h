#pragma once

#include <string>
#include <vector>

#include "export/torchscript/script_builder.h"

namespace ptq::exporting {

/// An operator of LibTorch that nobody lowered, as a call in TorchScript; `inputs` are variables,
/// constant tensors go to `builder` below `path`. Throws ExportError naming operator and `path` for
/// one outside aten (a plain LibTorch does not have it) and for results that are not all tensors.
std::string opaque_call(const ir::Opaque& op, const std::vector<std::string>& inputs,
                        const std::string& path, ScriptBuilder& builder);

}  // namespace ptq::exporting
