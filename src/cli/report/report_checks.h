#pragma once

#include <nlohmann/json_fwd.hpp>

#include "cli/run.h"

namespace ptq::cli {

/// The report's `calibration.audit`: numbers, and with `detail` every class and file.
enum class AuditDetail { kNumbers, kAll };
nlohmann::json audit_json(const CalibrationAudit& audit, AuditDetail detail);

/// The report's `repeat_calibration`; null where there is none.
nlohmann::json draws_json(const std::optional<CalibrationDraws>& draws);

/// The report's `gate` and `hashes`; null where there is none.
nlohmann::json gate_json(const RunResult& result);
nlohmann::json hashes_json(const std::optional<Hashes>& hashes);

}  // namespace ptq::cli
