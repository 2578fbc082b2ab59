#include "models/hand_defined.h"

#include <algorithm>

#include "models/quant_mobilenet_v1.h"

namespace ptq::models {

const std::vector<HandDefined>& hand_defined_networks() {
  static const std::vector<HandDefined> all = {{"quant_mobilenet_v1", quant_mobilenet_v1}};
  return all;
}

const HandDefined* find_hand_defined(std::string_view name) {
  const auto& all = hand_defined_networks();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const HandDefined& network) { return network.name == name; });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace ptq::models
