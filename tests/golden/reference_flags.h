#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace ptq::golden {

/// The command line that asks the program for what `options` (of a golden file) asked the reference
/// for, files aside: quantization, calibration images and batches. Flags that the combination would
/// not use are left out.
std::vector<std::string> reference_flags(const nlohmann::json& options);

}  // namespace ptq::golden
