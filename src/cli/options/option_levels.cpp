#include "ptq/cli/option_levels.h"

#include <map>
#include <vector>

namespace ptq::cli {
namespace {

using Names = std::vector<std::string_view>;
using Levels = std::map<std::string_view, Level>;

// calibrate-bn and target-backend say whether flexml merges batch norms.
const Names kPreparationOptions = {"target-backend",
                                   "merge-bn",
                                   "calibrate-bn",
                                   "graph-eq-iterations",
                                   "graph-eq-merge-bias",
                                   "channel-splitting-ratio",
                                   "channel-splitting-split-input"};

const Names kCalibrationImagesOptions = {"calibration-dir",
                                         "calibration-samples",
                                         "calibration-sampling",
                                         "batch-size-calibration",
                                         "seed",
                                         "act-equalization",
                                         "act-equalization-alpha"};

// Bit widths of layer-bits are those of weights and activations.
const Names kActivationsOptions = {"quant-format",
                                   "scale-factor-type",
                                   "group-size",
                                   "layer-bits",
                                   "residual-adds",
                                   "layerwise-first-last-bit-width",
                                   "layerwise-first-last-mantissa-bit-width",
                                   "layerwise-first-last-exponent-bit-width",
                                   "act-bit-width",
                                   "act-mantissa-bit-width",
                                   "act-exponent-bit-width",
                                   "act-quant-type",
                                   "act-quant-granularity",
                                   "act-quant-calibration-type",
                                   "act-quant-percentile",
                                   "act-scale-computation-type",
                                   "uint-sym-act-for-unsigned-values"};

const Names kQuantizedOptions = {"weight-bit-width",
                                 "weight-mantissa-bit-width",
                                 "weight-exponent-bit-width",
                                 "weight-quant-type",
                                 "weight-quant-granularity",
                                 "weight-quant-calibration-type",
                                 "weight-narrow-range",
                                 "bias-bit-width",
                                 "bias-corr",
                                 "gptq",
                                 "gpfq",
                                 "qronos",
                                 "gpfq-p",
                                 "qronos-damping",
                                 "gpxq-act-order",
                                 "gptq-use-quant-activations",
                                 "disable-create-weight-orig",
                                 "gpxq-accumulator-bit-width",
                                 "gpxq-accumulator-tile-size",
                                 "learned-round",
                                 "learned-round-block-name",
                                 "learned-round-mode",
                                 "learned-round-loss",
                                 "drop-activations",
                                 "learned-round-channel-error",
                                 "learned-round-iters",
                                 "learned-round-lr",
                                 "learned-round-lr-scheduler",
                                 "learned-round-batch-size",
                                 "learned-round-damping",
                                 "optimizer",
                                 "validation-samples",
                                 "batch-size-validation"};

const Names kNothingOptions = {"audit-calibration",
                               "repeat-calibration",
                               "baseline",
                               "max-drop",
                               "confidence",
                               "strict",
                               "save-predictions",
                               "junit",
                               "config",
                               "explain",
                               "attribute",
                               "node-sqnr",
                               "image-memory",
                               "activation-memory",
                               "workers",
                               "skip-float",
                               "report",
                               "dump-quantizers",
                               "dump-logits",
                               "export-dir",
                               "export-onnx-qcdq",
                               "export-torch-qcdq",
                               "onnx-opset-version",
                               "onnx-int4-weights",
                               "check-export"};

Levels make_levels() {
  Levels levels;
  const auto add = [&](Level level, const Names& names) {
    for (const std::string_view name : names) levels.emplace(name, level);
  };
  add(Level::kPreparation, kPreparationOptions);
  add(Level::kCalibrationImages, kCalibrationImagesOptions);
  add(Level::kActivations, kActivationsOptions);
  add(Level::kQuantized, kQuantizedOptions);
  add(Level::kNothing, kNothingOptions);
  return levels;
}

const Levels& levels() {
  static const Levels all = make_levels();
  return all;
}

}  // namespace

Level level_of(std::string_view option) {
  const auto found = levels().find(option);
  return found == levels().end() ? Level::kModel : found->second;
}

// A default is told from the same value given: --model-name also says the recipe only if given.
std::string key_up_to(Level level, const Settings& settings) {
  std::string key;
  for (const Option& option : option_table()) {
    if (level_of(option.name) > level) continue;
    key += std::string(option.name) + (settings.given(option.name) ? "=" : "~") +
           to_text(settings.value(option.name)) + "\n";
  }
  return key;
}

}  // namespace ptq::cli
