#pragma once

#include <string>

namespace ptq::bench {

/// Writes ResNet18 (He et al. 2015, 1000 classes) with random weights as a TorchScript file: as
/// fast as a trained one.
void write_random_resnet18(const std::string& path);

}  // namespace ptq::bench
