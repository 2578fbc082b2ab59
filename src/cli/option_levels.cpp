#include "ptq/cli/option_levels.h"

#include <map>

namespace ptq::cli {
namespace {

using Levels = std::map<std::string_view, Level>;

// calibrate-bn and target-backend say whether flexml merges batch norms; bit widths of --layer-bits
// are those of weights and activations.
const Levels& levels() {
  static const Levels all = {
      {"target-backend", Level::kPreparation},
      {"merge-bn", Level::kPreparation},
      {"calibrate-bn", Level::kPreparation},
      {"graph-eq-iterations", Level::kPreparation},
      {"graph-eq-merge-bias", Level::kPreparation},
      {"channel-splitting-ratio", Level::kPreparation},
      {"channel-splitting-split-input", Level::kPreparation},
      {"calibration-dir", Level::kCalibrationImages},
      {"calibration-samples", Level::kCalibrationImages},
      {"calibration-sampling", Level::kCalibrationImages},
      {"batch-size-calibration", Level::kCalibrationImages},
      {"seed", Level::kCalibrationImages},
      {"act-equalization", Level::kCalibrationImages},
      {"act-equalization-alpha", Level::kCalibrationImages},
      {"quant-format", Level::kActivations},
      {"scale-factor-type", Level::kActivations},
      {"group-size", Level::kActivations},
      {"layer-bits", Level::kActivations},
      {"residual-adds", Level::kActivations},
      {"layerwise-first-last-bit-width", Level::kActivations},
      {"layerwise-first-last-mantissa-bit-width", Level::kActivations},
      {"layerwise-first-last-exponent-bit-width", Level::kActivations},
      {"act-bit-width", Level::kActivations},
      {"act-mantissa-bit-width", Level::kActivations},
      {"act-exponent-bit-width", Level::kActivations},
      {"act-quant-type", Level::kActivations},
      {"act-quant-granularity", Level::kActivations},
      {"act-quant-calibration-type", Level::kActivations},
      {"act-quant-percentile", Level::kActivations},
      {"act-scale-computation-type", Level::kActivations},
      {"uint-sym-act-for-unsigned-values", Level::kActivations},
      {"weight-bit-width", Level::kQuantized},
      {"weight-mantissa-bit-width", Level::kQuantized},
      {"weight-exponent-bit-width", Level::kQuantized},
      {"weight-quant-type", Level::kQuantized},
      {"weight-quant-granularity", Level::kQuantized},
      {"weight-quant-calibration-type", Level::kQuantized},
      {"weight-narrow-range", Level::kQuantized},
      {"bias-bit-width", Level::kQuantized},
      {"bias-corr", Level::kQuantized},
      {"gptq", Level::kQuantized},
      {"gpfq", Level::kQuantized},
      {"qronos", Level::kQuantized},
      {"gpfq-p", Level::kQuantized},
      {"gpxq-act-order", Level::kQuantized},
      {"gptq-use-quant-activations", Level::kQuantized},
      {"disable-create-weight-orig", Level::kQuantized},
      {"gpxq-accumulator-bit-width", Level::kQuantized},
      {"gpxq-accumulator-tile-size", Level::kQuantized},
      {"learned-round", Level::kQuantized},
      {"learned-round-block-name", Level::kQuantized},
      {"learned-round-mode", Level::kQuantized},
      {"learned-round-loss", Level::kQuantized},
      {"drop-activations", Level::kQuantized},
      {"learned-round-iters", Level::kQuantized},
      {"learned-round-lr", Level::kQuantized},
      {"learned-round-lr-scheduler", Level::kQuantized},
      {"learned-round-batch-size", Level::kQuantized},
      {"learned-round-damping", Level::kQuantized},
      {"optimizer", Level::kQuantized},
      {"validation-samples", Level::kQuantized},
      {"batch-size-validation", Level::kQuantized},
      {"audit-calibration", Level::kNothing},
      {"repeat-calibration", Level::kNothing},
      {"baseline", Level::kNothing},
      {"max-drop", Level::kNothing},
      {"confidence", Level::kNothing},
      {"strict", Level::kNothing},
      {"save-predictions", Level::kNothing},
      {"junit", Level::kNothing},
      {"config", Level::kNothing},
      {"explain", Level::kNothing},
      {"attribute", Level::kNothing},
      {"node-sqnr", Level::kNothing},
      {"image-memory", Level::kNothing},
      {"activation-memory", Level::kNothing},
      {"workers", Level::kNothing},
      {"skip-float", Level::kNothing},
      {"report", Level::kNothing},
      {"dump-quantizers", Level::kNothing},
      {"dump-logits", Level::kNothing},
      {"export-dir", Level::kNothing},
      {"export-onnx-qcdq", Level::kNothing},
      {"export-torch-qcdq", Level::kNothing},
      {"onnx-opset-version", Level::kNothing},
      {"onnx-int4-weights", Level::kNothing},
      {"check-export", Level::kNothing},
  };
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
