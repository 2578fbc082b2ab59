#pragma once

#include "export/onnx/write/site.h"

namespace ptq::exporting {

/// How the ONNX operator wants a weight.
enum class WeightLayout { kAsStored, kTransposed };

/// Tensor of the layer's weight: integers with their DequantizeLinear, or float.
std::string weight_tensor(OnnxSite& site, const ir::Weighted& layer, WeightLayout layout);

/// Tensor of its bias, int32 with a DequantizeLinear at scale s_in s_w (reference-contract 3.12),
/// or float. The layer has a bias.
std::string bias_tensor(OnnxSite& site, const ir::Weighted& layer);

}  // namespace ptq::exporting
