#include "options/config/quantize_settings.h"

#include <charconv>
#include <string>

#include "models/hand_defined.h"
#include "options/combinations/combinations.h"
#include "ptq/base/error.h"

namespace ptq::options {
namespace {

int small(const Settings& settings, const std::string& name) {
  return static_cast<int>(settings.integer(name));
}

/// How large `whose` numbers are: "weight", "act" or "layerwise-first-last".
template <class Size>
void set_size(const Settings& settings, const std::string& whose, Size& size) {
  size.bit_width = small(settings, whose + "-bit-width");
  size.mantissa_bit_width = small(settings, whose + "-mantissa-bit-width");
  size.exponent_bit_width = small(settings, whose + "-exponent-bit-width");
}

WeightConfig weights(const Settings& settings) {
  WeightConfig config;
  set_size(settings, "weight", config);
  config.symmetry = settings.choice<Symmetry>("weight-quant-type");
  config.granularity = settings.choice<Granularity>("weight-quant-granularity");
  config.calibration = settings.choice<Calibration>("weight-quant-calibration-type");
  config.narrow_range = settings.is_on("weight-narrow-range");
  return config;
}

std::optional<ActivationConfig> activations(const Settings& settings) {
  if (settings.is_none("act-bit-width") || settings.integer("act-bit-width") == 0) {
    return std::nullopt;
  }
  ActivationConfig config;
  set_size(settings, "act", config);
  config.symmetry = settings.choice<Symmetry>("act-quant-type");
  config.granularity = settings.choice<Granularity>("act-quant-granularity");
  config.calibration = settings.choice<Calibration>("act-quant-calibration-type");
  config.timing = settings.choice<Timing>("act-scale-computation-type");
  config.percentile = settings.number("act-quant-percentile");
  config.unsigned_values = settings.is_on("uint-sym-act-for-unsigned-values");
  return config;
}

[[noreturn]] void refuse_layer_bits(const std::string& text) {
  throw ConfigError("--layer-bits '" + text +
                    "' must be REGEX=W4,A8, REGEX=W4 or REGEX=A8 with bits between 2 and 16");
}

int layer_bits(const std::string& text, const std::string& digits) {
  int bits = 0;
  const char* end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, bits);
  if (read.ec != std::errc() || read.ptr != end || bits < 2 || bits > 16) refuse_layer_bits(text);
  return bits;
}

LayerOverride layer_override(const std::string& text) {
  const size_t equals = text.rfind('=');
  if (equals == std::string::npos || equals == 0) refuse_layer_bits(text);
  LayerOverride result;
  result.pattern = text.substr(0, equals);
  std::string rest = text.substr(equals + 1) + ",";
  for (size_t comma = rest.find(','); comma != std::string::npos; comma = rest.find(',')) {
    const std::string part = rest.substr(0, comma);
    rest.erase(0, comma + 1);
    const char what = part.empty() ? ' ' : part.front();
    std::optional<int>& bits = what == 'W' ? result.weight_bit_width : result.act_bit_width;
    if ((what != 'W' && what != 'A') || bits) refuse_layer_bits(text);
    bits = layer_bits(text, part.substr(1));
  }
  return result;
}

std::optional<AccumulatorOptions> accumulator(const Settings& settings) {
  const auto bit_width = settings.integer_or_none("gpxq-accumulator-bit-width");
  if (!bit_width) return std::nullopt;
  return AccumulatorOptions{static_cast<int>(*bit_width),
                            settings.integer_or_none("gpxq-accumulator-tile-size")};
}

/// In the order in which they run.
Rounding rounding(const Settings& settings) {
  Rounding rounding;
  const bool act_order = settings.is_on("gpxq-act-order");
  const double held_out = settings.number("gpxq-held-out");
  if (settings.is_on("gpfq")) {
    rounding.then(Gpfq{act_order, settings.number("gpfq-p"), accumulator(settings), held_out});
  }
  if (settings.is_on("gptq")) {
    rounding.then(Gptq{act_order, settings.is_on("gptq-use-quant-activations"),
                       accumulator(settings), !settings.is_on("disable-create-weight-orig"),
                       held_out});
  }
  if (settings.is_on("qronos")) {
    rounding.then(Qronos{act_order, settings.number("qronos-damping"), held_out});
  }
  return rounding;
}

void set_techniques(const Settings& settings, QuantizeConfig& config) {
  config.merge_batch_norms = settings.is_on("merge-bn");
  config.relu6 = settings.choice<Relu6Rule>("relu6");
  config.calibrate_batch_norms = settings.is_on("calibrate-bn");
  config.equalization.iterations = small(settings, "graph-eq-iterations");
  config.equalization.merge_bias = settings.is_on("graph-eq-merge-bias");
  config.splitting.ratio = settings.number("channel-splitting-ratio");
  config.splitting.side = settings.is_on("channel-splitting-split-input") ? passes::Side::kInput
                                                                          : passes::Side::kOutput;
  if (!settings.is_none("act-equalization")) {
    config.activation_equalization = {
        settings.choice<passes::ActivationEqualization>("act-equalization"),
        settings.number("act-equalization-alpha")};
  }
  config.rounding = rounding(settings);
  config.learned_round = learned_round_config(settings);
  config.augmentation.views = settings.integer("calibration-augment");
  config.correct_biases = settings.is_on("bias-corr");
}

}  // namespace

QuantizeConfig quantize_config(const Settings& settings) {
  check_combinations(settings);
  QuantizeConfig config;
  config.backend = settings.choice<Backend>("target-backend");
  config.numbers = settings.choice<NumberKind>("quant-format");
  config.scale_type = settings.choice<ScaleType>("scale-factor-type");
  config.weights = weights(settings);
  config.activations = activations(settings);
  config.bias_bit_width.reset();
  if (!settings.is_none("bias-bit-width")) {
    config.bias_bit_width = small(settings, "bias-bit-width");
  }
  set_size(settings, "layerwise-first-last", config.first_last);
  config.group_size = settings.integer("group-size");
  for (const std::string& text : settings.texts("layer-bits")) {
    config.layer_bits.push_back(layer_override(text));
  }
  config.residual_adds = settings.choice<ResidualAdds>("residual-adds");
  set_techniques(settings, config);
  config.quantizers_file = settings.text_or_none("load-quantizers").value_or("");
  config.seed = static_cast<uint64_t>(settings.integer("seed"));
  const std::string& name = settings.text("model-name");
  if (models::find_hand_defined(name) != nullptr) config.hand_defined = name;
  return config;
}

}  // namespace ptq::options
