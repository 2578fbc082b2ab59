#pragma once

#include <string>
#include <vector>

#include "report/run_result.h"

/// Sensitivities and bits as files, and as lines to print.
namespace ptq::report {

/// CSV: kind,group,layers,bits,divergence,sqnr_db,estimate (docs/bit-budgets.md).
void write_sensitivity(const std::string& path, const Sensitivity& sensitivity);

/// YAML for --config: the layer bits, with what they cost in comments.
void write_layer_bits(const std::string& path, const BitAssignment& bits);

/// CSV, a line a row.
void write_pareto(const std::string& path, const std::vector<ParetoRow>& rows);
std::vector<std::string> pareto_lines(const std::vector<ParetoRow>& rows);

}  // namespace ptq::report
