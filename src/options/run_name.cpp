#include "options/run_name.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace ptq::options {
namespace {

constexpr size_t kLongest = 200;

/// FNV-1a, 32 bits, in eight hexadecimal digits.
std::string hash(const std::string& text) {
  uint32_t state = 2166136261U;
  for (const char c : text) state = (state ^ static_cast<unsigned char>(c)) * 16777619U;
  std::array<char, 9> digits{};
  std::snprintf(digits.data(), digits.size(), "%08x", state);
  return digits.data();
}

/// `text` fit for a file name; a hash tells apart what the replacement made equal.
std::string fit(const std::string& text) {
  std::string result = text;
  for (char& c : result) {
    const bool good = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' ||
                      c == '-' || c == '=';
    if (!good) c = '-';
  }
  return result == text ? result : result + "-" + hash(text);
}

std::string stem(const Settings& settings, const Config& config) {
  const auto text = [&](const char* name) { return to_text(settings.value(name)); };
  const auto if_on = [&](const char* name, const char* word) {
    return settings.is_on(name) ? std::string(word) : "";
  };
  std::string name = config.model_name + "_" + text("target-backend") + "_" + text("quant-format");
  if (settings.text("quant-format") != "int") {
    name += "_" + text("weight-mantissa-bit-width") + "_" + text("weight-exponent-bit-width") +
            "_" + text("act-mantissa-bit-width") + "_" + text("act-exponent-bit-width");
  }
  const std::string act_bits = config.quantize.activations ? text("act-bit-width") : "None";
  name += "_" + text("scale-factor-type") + "_a" + act_bits + "w" + text("weight-bit-width") + "_" +
          if_on("gptq", "gptq_") + if_on("gpfq", "gpfq_") +
          if_on("gpxq-act-order", "gpxq_act_order_");
  if (!settings.is_none("learned-round")) name += text("learned-round") + "_";
  name += if_on("weight-narrow-range", "weight_narrow_range_") + text("bias-bit-width") + "bias_" +
          text("weight-quant-granularity") + "_" + text("act-quant-type") + "_" +
          if_on("bias-corr", "bc_") + text("graph-eq-iterations") + "geiters_" +
          if_on("graph-eq-merge-bias", "mb_");
  name += settings.text("act-quant-calibration-type") == "stats"
              ? text("act-quant-percentile") + "stats_"
              : "mse_";
  name += text("weight-quant-calibration-type") + if_on("calibrate-bn", "_bnc");
  if (settings.number("channel-splitting-ratio") > 0) {
    name += "_channel_splitting=" + text("channel-splitting-ratio");
  }
  return name;
}

}  // namespace

std::string run_name(const Settings& settings, const Config& config) {
  std::string name = stem(settings, config);
  for (const Option& option : option_table()) {
    if (option.naming != Naming::kAppended) continue;
    const Value& value = settings.value(option.name);
    if (value == default_value(option)) continue;
    name += "_" + std::string(option.name) + "=" + to_text(value);
  }
  std::string files =
      config.model_file + '\n' + config.calibration_dir + '\n' + config.validation_dir;
  if (!config.quantize.quantizers_file.empty()) files += '\n' + config.quantize.quantizers_file;
  const std::string inputs = hash(files);
  const std::string whole = fit(name) + "_" + inputs;
  if (whole.size() <= kLongest) return whole;
  const std::string end = "_" + hash(name) + "_" + inputs;
  return whole.substr(0, kLongest - end.size()) + end;
}

}  // namespace ptq::options
