#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/content_cache.h"
#include "data/calibration_audit.h"
#include "eval/evaluate.h"
#include "eval/float_weights.h"
#include "eval/gate.h"
#include "eval/node_noise.h"
#include "eval/paired_interval.h"
#include "parity/export_report.h"
#include "ptq/base/log.h"
#include "ptq/bits.h"
#include "ptq/runtime/executor.h"
#include "report/page/details.h"
#include "runtime/integer_layers.h"
#include "workflow/quantization.h"

/// What a run found, in types.
namespace ptq::report {

struct UnreadableImage {
  /// "calibration" or "validation".
  std::string set;
  std::string path;
  std::string reason;
};

/// Two networks on the same images.
struct Comparison {
  eval::PairedCounts counts;
  /// Quantized minus float.
  eval::Interval top1;

  /// Share of equal predictions.
  double agreement() const {
    return static_cast<double>(counts.agreeing) / static_cast<double>(counts.count);
  }
};

/// The network behind one stage of quantization (--attribute); "preparation" is float.
struct AttributionRow {
  std::string stage;
  eval::Accuracy accuracy;
  /// Top-1 against the row before; none in the first row.
  std::optional<eval::Interval> change;
  /// Mean over the images of the logits' SQNR against the float logits, in dB (eval/sqnr.h).
  double sqnr = 0;

  /// Whether top-1 fell, and by more than chance explains.
  bool harms() const { return change && change->high < 0; }
};

/// A point of the curve of bits against accuracy (--pareto).
struct ParetoRow {
  /// "W4", or "budget 4".
  std::string name;
  /// None where all weights have one width.
  std::optional<double> budget;
  double mean_weight_bits = 0;
  eval::Accuracy accuracy;
  /// Top-1 against the float network's, and against the widest uniform width within the budget.
  std::optional<eval::Interval> against_float, against_uniform;
  /// That width: "W4".
  std::string uniform;
  /// Of budgets, before techniques (ptq/bits.h).
  std::optional<double> divergence;
  std::vector<LayerOverride> layer_bits;
};

/// What the drawn calibration images are.
struct CalibrationAudit {
  data::ClassAudit classes;
  data::ContentAudit contents;
};

/// Quantized top-1 over draws of the calibration images, as fractions.
struct CalibrationDraws {
  std::vector<int64_t> seeds;
  std::vector<double> top1;

  double mean() const;
  /// Of the sample, with n - 1.
  double deviation() const;
  double low() const;
  double high() const;
};

enum class SameModel { kYes, kNo };

/// Top-1 against that of an earlier run.
struct GateOutcome {
  std::string baseline;
  eval::GateRule rule;
  eval::Judgement judgement;
  /// Whether the baseline's model file had the same content.
  SameModel same_model = SameModel::kYes;
  /// What the baseline was made in.
  runtime::Arithmetic arithmetic = runtime::Arithmetic::kFloat;
};

/// What a run was done with, by content.
struct Hashes {
  std::string model;
  /// data::data_hash of the validation images.
  std::string data;
};

/// Entries of a kind: found in the cache, and put there.
struct CacheUse {
  std::string directory;
  ContentCache::Counts crops, answers, scales, checks;
};

struct RunResult {
  /// None where the float evaluation was skipped; so is the comparison.
  std::optional<eval::Evaluation> float_evaluation;
  eval::Evaluation quantized;
  std::optional<Comparison> comparison;
  /// Images the calibration saw.
  int64_t calibration_count = 0;
  /// None where no technique needs calibration images.
  std::optional<CalibrationAudit> audit;
  std::optional<CalibrationDraws> draws;
  std::vector<UnreadableImage> unreadable;
  /// With --page alone.
  std::optional<RunDetails> details;
  workflow::TechniqueReports techniques;
  /// What each layer of the quantized network computes in; empty where no layer was to compute in
  /// integers.
  std::vector<runtime::LayerArithmetic> layers;
  /// Empty where nobody asked.
  std::optional<Sensitivity> sensitivity;
  std::optional<BitAssignment> bits;
  std::vector<ParetoRow> pareto;
  std::vector<AttributionRow> attribution;
  std::vector<eval::NodeNoise> node_noise;
  std::optional<parity::ExportReport> exports;
  std::vector<Stage> stages;
  /// Results of earlier runs that this one used and left; none without a cache.
  std::optional<CacheUse> cache;
  /// Stages whose result is from the cache.
  std::vector<std::string> from_cache;
  std::vector<std::string> warnings;
  /// Those of the warnings that say the result looks broken.
  std::vector<std::string> guards;
  /// Of the quantized network.
  eval::FloatWeights float_weights;
  /// Of runs that compare or save predictions.
  std::optional<Hashes> hashes;
  std::optional<GateOutcome> gate;
  /// With --baseline or --strict, and why.
  std::optional<eval::Verdict> verdict;
  std::string verdict_words;
};

}  // namespace ptq::report
