#include "cli/options/placement_options.h"

#include <charconv>
#include <string>

#include "cli/combinations/combinations.h"
#include "ptq/base/error.h"

namespace ptq::cli {
namespace {

quant::Granularity granularity(const std::string& word) {
  if (word == "per_channel") return quant::Granularity::kPerChannel;
  if (word == "per_group") return quant::Granularity::kPerGroup;
  return quant::Granularity::kPerTensor;
}

quant::Symmetry symmetry(const std::string& word) {
  return word == "asym" ? quant::Symmetry::kAsymmetric : quant::Symmetry::kSymmetric;
}

quant::Calibration calibration(const std::string& word) {
  if (word == "mse") return quant::Calibration::kMse;
  if (word == "hqo") return quant::Calibration::kHqo;
  return quant::Calibration::kStatistics;
}

backends::ResidualAdds residual_adds(const std::string& word) {
  if (word == "wide") return backends::ResidualAdds::kWide;
  return word == "float" ? backends::ResidualAdds::kFloat : backends::ResidualAdds::kQuantized;
}

quant::ScaleType scale_type(const Settings& settings) {
  return settings.text("scale-factor-type") == "po2_scale" ? quant::ScaleType::kPowerOfTwo
                                                           : quant::ScaleType::kFloat;
}

int small(const Settings& settings, const std::string& name) {
  return static_cast<int>(settings.integer(name));
}

/// The format of `whose` numbers: "weight", "act" or "layerwise-first-last".
quant::NumberFormat format(const Settings& settings, const std::string& whose) {
  const std::string& word = settings.text("quant-format");
  if (word == "int") {
    return quant::IntegerFormat{small(settings, whose + "-bit-width"), true, false};
  }
  quant::MinifloatFormat minifloat;
  minifloat.exponent_bit_width = small(settings, whose + "-exponent-bit-width");
  minifloat.mantissa_bit_width = small(settings, whose + "-mantissa-bit-width");
  minifloat.codes = word == "float_ocp" ? quant::MinifloatFormat::Codes::kOcp
                                        : quant::MinifloatFormat::Codes::kAllFinite;
  return minifloat;
}

backends::WeightOptions weights(const Settings& settings) {
  backends::WeightOptions options;
  options.format = format(settings, "weight");
  if (auto* integers = std::get_if<quant::IntegerFormat>(&options.format)) {
    integers->narrow_range = settings.is_on("weight-narrow-range");
  }
  options.symmetry = symmetry(settings.text("weight-quant-type"));
  options.granularity = granularity(settings.text("weight-quant-granularity"));
  options.scale_type = scale_type(settings);
  options.calibration = calibration(settings.text("weight-quant-calibration-type"));
  return options;
}

bool weights_only(const Settings& settings) {
  return settings.is_none("act-bit-width") || settings.integer("act-bit-width") == 0;
}

backends::ActivationOptions activations(const Settings& settings) {
  backends::ActivationOptions options;
  options.format = format(settings, "act");
  options.symmetry = symmetry(settings.text("act-quant-type"));
  options.granularity = granularity(settings.text("act-quant-granularity"));
  options.scale_type = scale_type(settings);
  options.calibration = calibration(settings.text("act-quant-calibration-type"));
  options.timing = settings.text("act-scale-computation-type") == "dynamic"
                       ? quant::Timing::kDynamic
                       : quant::Timing::kStatic;
  options.unsigned_values = settings.is_on("uint-sym-act-for-unsigned-values");
  return options;
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

backends::LayerOverride layer_override(const std::string& text) {
  const size_t equals = text.rfind('=');
  if (equals == std::string::npos || equals == 0) refuse_layer_bits(text);
  backends::LayerOverride result;
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

}  // namespace

backends::Backend backend_of(const Settings& settings) {
  const std::string& word = settings.text("target-backend");
  if (word == "layerwise") return backends::Backend::kLayerwise;
  return word == "flexml" ? backends::Backend::kFlexml : backends::Backend::kFx;
}

backends::PlacementOptions placement_options(const Settings& settings) {
  check_combinations(settings);
  backends::PlacementOptions options;
  options.weights = weights(settings);
  options.activations.reset();
  options.bias_bit_width.reset();
  if (!weights_only(settings)) {
    options.activations = activations(settings);
    if (!settings.is_none("bias-bit-width")) {
      options.bias_bit_width = small(settings, "bias-bit-width");
    }
  }
  if (backend_of(settings) == backends::Backend::kLayerwise) {
    const quant::NumberFormat first_last = format(settings, "layerwise-first-last");
    options.first_last = {first_last, first_last};
    if (auto* integers = std::get_if<quant::IntegerFormat>(&*options.first_last.weight)) {
      integers->narrow_range = settings.is_on("weight-narrow-range");
    }
  }
  for (const std::string& text : settings.texts("layer-bits")) {
    options.overrides.push_back(layer_override(text));
  }
  options.residual_adds = residual_adds(settings.text("residual-adds"));
  options.group_size = settings.integer("group-size");
  return options;
}

}  // namespace ptq::cli
