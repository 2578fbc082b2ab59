#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "report/run_result.h"

/// The parts of the report, each null where there is nothing to say.
namespace ptq::report {

/// null for none, and for what no JSON number is.
nlohmann::json number_or_null(const std::optional<double>& value);

/// What a report says of the calibration images: numbers, or every class and file too.
enum class AuditDetail { kNumbers, kAll };
/// `calibration.audit`.
nlohmann::json audit_json(const std::optional<CalibrationAudit>& audit, AuditDetail detail);

/// `repeat_calibration`, `gate`, `hashes`.
nlohmann::json draws_json(const std::optional<CalibrationDraws>& draws);
nlohmann::json gate_json(const RunResult& result);
nlohmann::json hashes_json(const std::optional<Hashes>& hashes);

/// `function`, `relu6`.
nlohmann::json function_json(const workflow::TechniqueReports& result);
nlohmann::json relu6_json(const workflow::TechniqueReports& result);

/// What the techniques that ran say of themselves, by name: counts, largest range ratios, and
/// region by region the layers that make and read it (`sources`, `sinks`) and what was left out
/// (`rejected`).
nlohmann::json techniques_json(const workflow::TechniqueReports& techniques);

/// `sensitivity`, `bits`, `pareto`.
nlohmann::json sensitivity_json(const std::optional<Sensitivity>& sensitivity);
nlohmann::json bits_json(const std::optional<BitAssignment>& bits);
nlohmann::json pareto_json(const std::vector<ParetoRow>& rows);

/// `attribution`, `node_noise`; and the same as lines to print.
nlohmann::json attribution_json(const RunResult& result);
nlohmann::json node_noise_json(const RunResult& result);
std::vector<std::string> attribution_lines(const RunResult& result);
std::vector<std::string> node_noise_lines(const RunResult& result);

/// Adds `layers`, `activations`, `truth`, `classes` and `flips` (report/page/details.h), null
/// without --page.
void add_details(nlohmann::json& report, const RunResult& result);

}  // namespace ptq::report
