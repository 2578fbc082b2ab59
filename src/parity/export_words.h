#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "parity/export_report.h"

namespace ptq::parity {

/// `files`, each with its `checks`, and `truth` (export/truth.h).
nlohmann::json exports_json(const ExportReport& report);

/// That `truth` alone.
nlohmann::json truth_json(const exporting::Truth& truth);

/// A line a file and two on the network in it.
std::vector<std::string> export_lines(const ExportReport& report);
/// A line a layer: its bit widths.
std::vector<std::string> layer_lines(const exporting::Truth& truth);
std::string check_line(const ExportedFile& file, const ExportCheck& check);
std::string disagreement_sentence(const ExportedFile& file, const ExportCheck& check);

}  // namespace ptq::parity
