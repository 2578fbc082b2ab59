#pragma once

#include <string>
#include <vector>

#include "report/run_result.h"

/// What a run found, in lines.
namespace ptq::report {

/// Accuracies, attribution, noise by node, difference, agreement, times, draws.
std::vector<std::string> result_lines(const RunResult& result);

/// Every class of calibration and validation, and every image that is there twice.
std::vector<std::string> audit_lines(const CalibrationAudit& audit);

/// What each layer computes in, and why not in integers.
std::vector<std::string> arithmetic_lines(const std::vector<runtime::LayerArithmetic>& layers);

}  // namespace ptq::report
