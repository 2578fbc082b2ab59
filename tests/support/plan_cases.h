#pragma once

#include <functional>
#include <string>
#include <vector>

#include "support/graph_builder.h"

namespace ptq::testing {

/// A small network around one operation or one fusion, by name.
struct PlanCase {
  std::string name;
  std::vector<int64_t> image;
  std::function<ir::ValueId(GraphBuilder&)> build;
};

/// Every typed operation, alone and after a convolution or a linear layer where it can be fused.
std::vector<PlanCase> plan_cases();

}  // namespace ptq::testing
