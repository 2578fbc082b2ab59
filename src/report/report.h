#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "ptq/data/recipe.h"
#include "ptq/runtime/execution.h"
#include "report/parts.h"
#include "report/run_result.h"

namespace ptq::report {

/// What a report says of a run beside what it found.
struct RunFacts {
  std::string run_name;
  /// What repeats the run.
  std::string command;
  /// Of the program.
  std::string version;
  std::string model_file, model_name;
  std::string calibration_sampling;
  AuditDetail audit_detail = AuditDetail::kNumbers;
  data::Recipe recipe;
  runtime::Execution execution;
  int64_t seed = 0;
};

/// Everything a run found, as JSON. Accuracies and agreement are fractions, times seconds:
///
/// - `float`, `quantized`: `{top1, top5, correct, correct_top5, network_seconds, waiting_seconds}`;
///   `float` is null with --skip-float. The two times are spent in the network and in waiting for
///   images.
/// - `count`: images evaluated. `agreement`: share of equal predictions. `difference`: quantized
///   minus float top-1, with its interval (eval/paired_interval.h).
/// - `images_per_second`: of the network alone, `{float, quantized}`.
/// - `calibration`: `{count, sampling, audit}`; `audit` (data/calibration_audit.h) is null without
///   calibration. `unreadable`: `{count, images: [{set, path, reason}]}`.
/// - `stages` and `passes` in order, `warnings`, `peak_rss_mib`, `seed`, `versions`.
/// - `cache`: null without one, or `{directory, crops, answers, scales, checks, stages}`: entries
///   by kind, `{found, made}`, and the stages whose result was found there.
/// - `repeat_calibration`: null, or seeds and their quantized top-1, with mean and spread.
/// - `guards`: those of the warnings that say the result looks broken. `gate`: null, or `{verdict,
///   because}` and, with a baseline, `top1` with the drop as a fraction and its one-sided bounds.
///   `hashes` `{model, data}` where they were needed.
/// - `sensitivity`, `bits`, `pareto`: null where not asked for (docs/bit-budgets.md).
/// - `float_weights`: `{count, of, share, places}`, weights of the quantized network that are not
///   quantized (eval/float_weights.h).
/// - `exports`: null where nothing was exported, else as parity/export_words.h says.
/// - `function`: null, or for each step that is to keep the float network's function `{step,
///   images, agreeing, sqnr_db, lowest_sqnr_db, is_rounding, passes}` (eval/function_change.h).
///   `relu6`: null, or `{becomes, replaced}`.
/// - `layers`, `activations`, `truth`, `classes`, `flips`: null without --page
///   (report/page/details.h).
/// - `command`: what repeats the run.
/// - `config`: `options`, every option with the value in force. `resolved`: what options left to be
///   worked out.
nlohmann::json report_json(const RunFacts& facts, const nlohmann::json& options,
                           const RunResult& result);

/// Writes it, complete or not at all. Throws OutputError naming the file.
void write_report(const std::string& path, const nlohmann::json& report);

}  // namespace ptq::report
