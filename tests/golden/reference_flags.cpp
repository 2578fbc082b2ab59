#include "golden/reference_flags.h"

#include <algorithm>

namespace ptq::golden {
namespace {

using nlohmann::json;

class Flags {
 public:
  explicit Flags(const json& options) : options_(options) {}

  bool is(const char* key, const json& value) const { return options_.at(key) == value; }

  void value(const std::string& key) {
    const json& held = options_.at(key);
    words_.push_back(flag(key));
    words_.push_back(held.is_null()     ? "None"
                     : held.is_string() ? held.get<std::string>()
                                        : held.dump());
  }
  void values(std::initializer_list<const char*> keys) {
    for (const char* key : keys) value(key);
  }
  /// Only where it differs from the default, which counts as not given.
  void on_off(const std::string& key, bool by_default) {
    const bool on = options_.at(key);
    if (on != by_default) words_.push_back((on ? "--" : "--no-") + flag(key).substr(2));
  }

  std::vector<std::string> words() { return std::move(words_); }

 private:
  static std::string flag(std::string key) {
    std::replace(key.begin(), key.end(), '_', '-');
    return "--" + key;
  }

  const json& options_;
  std::vector<std::string> words_;
};

}  // namespace

std::vector<std::string> reference_flags(const json& options) {
  Flags flags(options);
  flags.values({"target_backend", "quant_format", "scale_factor_type", "act_bit_width",
                "weight_bit_width", "bias_bit_width", "act_quant_type", "weight_quant_type",
                "weight_quant_granularity", "act_quant_granularity",
                "weight_quant_calibration_type", "act_quant_calibration_type",
                "act_scale_computation_type", "calibration_samples", "batch_size_calibration",
                "batch_size_validation"});
  flags.on_off("weight_narrow_range", false);
  flags.values({"graph_eq_iterations", "act_equalization", "channel_splitting_ratio"});
  if (!flags.is("graph_eq_iterations", 0)) flags.on_off("graph_eq_merge_bias", true);
  flags.on_off("bias_corr", true);
  flags.on_off("uint_sym_act_for_unsigned_values", true);
  flags.on_off("merge_bn", true);
  for (const char* technique :
       {"gptq", "gpfq", "qronos", "gpxq_act_order", "gptq_use_quant_activations"}) {
    if (options.contains(technique)) flags.on_off(technique, false);
  }
  if (options.contains("learned_round") && !options.at("learned_round").is_null()) {
    flags.values({"learned_round", "learned_round_loss", "learned_round_mode",
                  "learned_round_iters", "learned_round_lr", "learned_round_lr_scheduler",
                  "learned_round_batch_size", "optimizer"});
  }
  const bool integers = flags.is("quant_format", "int");
  const bool layerwise = flags.is("target_backend", "layerwise");
  if (!integers) {
    flags.values({"weight_mantissa_bit_width", "weight_exponent_bit_width",
                  "act_mantissa_bit_width", "act_exponent_bit_width"});
  }
  if (layerwise) flags.value("layerwise_first_last_bit_width");
  if (layerwise && !integers) {
    flags.values(
        {"layerwise_first_last_mantissa_bit_width", "layerwise_first_last_exponent_bit_width"});
  }
  if (options.contains("act_quant_percentile") && integers &&
      flags.is("act_quant_calibration_type", "stats") &&
      flags.is("act_scale_computation_type", "static")) {
    flags.value("act_quant_percentile");
  }
  std::vector<std::string> words = flags.words();
  // The reference keeps what a technique finds, however it does on other images.
  const auto has = [&](const char* technique) { return options.value(technique, false); };
  if (has("gptq") || has("gpfq") || has("qronos")) {
    words.insert(words.end(), {"--gpxq-held-out", "0"});
  }
  words.insert(words.end(), {"--calibration-sampling", "first", "--relu6", "relu"});
  return words;
}

}  // namespace ptq::golden
