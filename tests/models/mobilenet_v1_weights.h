#pragma once

#include <ATen/ATen.h>

#include <cmath>
#include <string>

#include "models/network.h"

namespace ptq::models {

/// Random float weights of MobileNet V1 whose first layer has `width` channels (32 in the paper)
/// and whose last has `classes`.
inline Weights mobilenet_v1_weights(int64_t width, int64_t classes) {
  at::manual_seed(7);
  Weights weights;
  const auto block = [&](const std::string& name, int64_t out, int64_t in, int64_t kernel) {
    const double deviation = std::sqrt(2.0 / static_cast<double>(in * kernel * kernel));
    weights[name + ".conv.weight"] = at::randn({out, in, kernel, kernel}).mul(deviation);
    weights[name + ".bn.weight"] = at::rand({out}).add(0.5);
    weights[name + ".bn.bias"] = at::randn({out}).mul(0.1);
    weights[name + ".bn.running_mean"] = at::randn({out}).mul(0.1);
    weights[name + ".bn.running_var"] = at::rand({out}).add(0.5);
  };
  block("features.init_block", width, 3, 3);
  const int units[] = {1, 2, 2, 6, 2};
  int64_t channels = width;
  for (int stage = 1; stage <= 5; ++stage) {
    for (int unit = 1; unit <= units[stage - 1]; ++unit) {
      const std::string name =
          "features.stage" + std::to_string(stage) + ".unit" + std::to_string(unit);
      block(name + ".dw_conv", channels, 1, 3);
      block(name + ".pw_conv", width << stage, channels, 1);
      channels = width << stage;
    }
  }
  weights["output.weight"] = at::randn({classes, channels}).mul(0.1);
  weights["output.bias"] = at::randn({classes}).mul(0.1);
  return weights;
}

}  // namespace ptq::models
