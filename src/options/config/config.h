#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "eval/gate.h"
#include "export/export.h"
#include "import/import.h"
#include "options/settings.h"
#include "ptq/bits.h"
#include "ptq/data/loader.h"
#include "ptq/data/sampling.h"
#include "ptq/quantize_config.h"
#include "ptq/runtime/execution.h"

namespace ptq::options {

/// Files to write; none where nobody asked.
struct Outputs {
  std::optional<std::string> report;
  std::optional<std::string> quantizers;
  std::optional<std::string> logits;
  std::optional<std::string> float_logits;
  std::optional<std::string> predictions;
  std::optional<std::string> junit;
  std::optional<std::string> page;
  /// Pictures in the page, at most.
  int64_t page_images = 0;
  /// Ends in .svg or .dot.
  std::optional<std::string> graph;
  std::optional<std::string> sensitivity, layer_bits, pareto;

  /// Every file that is to be written.
  std::vector<std::string> files() const;
};

/// When a run fails by its results.
struct GateConfig {
  /// File of predictions that top-1 is compared with.
  std::optional<std::string> baseline;
  eval::GateRule rule;
  /// Guards fail the run without a baseline too.
  bool strict = false;

  bool decides() const { return baseline || strict; }
};

/// Networks to export, and what to do with the files.
struct Exports {
  /// Where to; none where nobody asked.
  std::optional<std::string> onnx;
  std::optional<std::string> torchscript;
  exporting::ExportOptions options;
  /// How many validation images the files are run on again; 0 for none.
  int64_t checked_images = 0;

  bool any() const { return onnx || torchscript; }
};

/// Sensitivities and budgets.
struct BitsConfig {
  BitSearchOptions search;
  /// Files; none where nobody asked.
  std::optional<std::string> sensitivity_file, layer_bits_file, pareto_file;
  /// --pareto: the budgets, in mean bits a weight, or how many of them; neither where nobody asked.
  std::vector<double> pareto_budgets;
  int64_t pareto_points = 0;

  bool wants_pareto() const { return !pareto_budgets.empty() || pareto_points > 0; }
  bool any() const { return sensitivity_file || search.budget.any() || wants_pareto(); }
};

/// What a run does, in types. Everything in it follows from Settings.
struct Config {
  std::string model_file;
  import::ModelTrust trust = import::ModelTrust::kCheck;
  /// Name whose recipe `recipe` began as.
  std::string model_name;
  data::Recipe recipe;

  std::string calibration_dir;
  std::string validation_dir;
  int64_t calibration_samples = 1000;
  /// Whether the number was chosen by the user; a default may be more than there is.
  bool calibration_samples_given = false;
  data::CalibrationSampling calibration_sampling = data::CalibrationSampling::kStratified;
  /// Seeds that calibration images are drawn with, one after the other.
  int64_t calibration_draws = 1;
  /// Images evaluated, evenly from all classes; all where nobody asks.
  std::optional<int64_t> validation_samples;
  /// Images left out: those that so many samples would be.
  int64_t validation_skip = 0;
  /// Classes of the network before those of the folder: 0 or 1.
  int64_t label_offset = 0;
  int64_t batch_size_calibration = 64;
  int64_t batch_size_validation = 256;
  int workers = 8;
  data::UnreadableImages unreadable = data::UnreadableImages::kError;
  int64_t image_memory_bytes = 0;
  /// Folder of results of earlier runs; none where nobody asked.
  std::optional<std::string> cache;
  int64_t cache_bytes = 0;

  QuantizeConfig quantize;
  BitsConfig bits;
  /// Say what techniques changed and left out, and why.
  bool explain = false;
  /// Accuracy after each stage of quantization.
  bool attribute = false;
  /// Images on which noise is measured node by node; 0: it is not.
  int64_t node_sqnr_images = 0;
  runtime::Execution execution;
  bool skip_float = false;
  GateConfig gate;
  Outputs outputs;
  Exports exports;
};

/// Resolves what settings leave open (model file, recipe, threads, device) and checks options
/// against each other. Looks at the disk only to find the model of --model-name. Throws ConfigError
/// naming the flag.
Config make_config(const Settings& settings);

}  // namespace ptq::options
