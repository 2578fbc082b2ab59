#pragma once

#include "cli/session.h"
#include "options/config/config.h"
#include "ptq/base/error.h"
#include "ptq/base/log.h"
#include "report/run_result.h"

namespace ptq::cli {

using report::AttributionRow;
using report::CalibrationAudit;
using report::CalibrationDraws;
using report::RunResult;
using report::UnreadableImage;

/// kSuccess without a verdict.
ExitCode exit_code(const RunResult& result);

/// The main job: float accuracy of a TorchScript classifier, quantization, accuracy of the
/// quantized one, and the files asked for. Everything a user can get wrong is checked, as far as
/// possible, before the work that depends on it: options and output folders, image folders, the
/// model file, labels against the model's classes. Throws ptq::Error.
RunResult run(const options::Settings& settings, Log& log);

/// The same with the stages that an earlier run of the session did already.
RunResult run(const options::Settings& settings, Session& session, Log& log);

}  // namespace ptq::cli
