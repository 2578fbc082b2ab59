#pragma once

#include <string>
#include <vector>

#include "ptq/passes/equalize.h"
#include "ptq/passes/region_reports.h"
#include "workflow/function.h"

namespace ptq::workflow {

/// What --explain says of a technique: a line for each region it changed, a line for each layer it
/// left out, with the reason.
std::vector<std::string> explanation(const std::vector<passes::EqualizedRegion>& regions,
                                     const std::vector<passes::RejectedRegion>& rejected);
std::vector<std::string> explanation(const std::vector<passes::SplitRegion>& regions,
                                     const std::vector<passes::RejectedRegion>& rejected);

/// "3 regions, 7 layers, 4 iterations (converged), largest range ratio 12 before, 3 after"
std::string equalization_words(const passes::EqualizationReport& report);
std::string equalization_words(const passes::ActivationEqualizationReport& report);

/// A step that is to keep the float network's function: what it did, and the warning where it did
/// not keep it.
std::string function_line(const FunctionRow& row);
std::string function_warning(const FunctionRow& row);
std::string relu6_line(const Relu6Choice& choice);

}  // namespace ptq::workflow
