#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "support/script_model.h"

namespace ptq {

/// Runs on every model of the folder in PTQ_CONFORMANCE_MODELS; run.py makes one and runs this.
class Conformance : public ::testing::TestWithParam<support::ConformanceModel> {};

inline std::string conformance_name(
    const ::testing::TestParamInfo<support::ConformanceModel>& info) {
  std::string name = info.param.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

}  // namespace ptq
