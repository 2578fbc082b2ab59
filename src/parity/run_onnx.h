#pragma once

#include <string_view>

namespace ptq::parity {

/// The text of run_onnx.mjs, which the build puts into the program.
extern const std::string_view kRunOnnx;

}  // namespace ptq::parity
