#pragma once

#include <memory>
#include <string>

#include "support/script_model.h"

namespace ptq::support {

/// A TorchScript classifier of images [N, 3, 8, 8], drawn from all operators that the importer
/// lowers and some that it passes on: layers, activations, pools, arithmetic, changes of shape,
/// attention, sums with weights, recurrent cells, writes into parts. The same for the same seed;
/// images do not meet.
struct RandomScript {
  ScriptModel model;
  std::string code;
};
std::unique_ptr<RandomScript> random_script(unsigned seed);

}  // namespace ptq::support
