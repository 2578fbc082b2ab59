#pragma once

#include <string>
#include <vector>

#include "ptq/passes/region_reports.h"

namespace ptq::cli {

/// What --explain says of a technique: a line for each region it changed, a line for each layer it
/// left out, with the reason.
std::vector<std::string> explanation(const std::vector<passes::EqualizedRegion>& regions,
                                     const std::vector<passes::RejectedRegion>& rejected);
std::vector<std::string> explanation(const std::vector<passes::SplitRegion>& regions,
                                     const std::vector<passes::RejectedRegion>& rejected);

}  // namespace ptq::cli
