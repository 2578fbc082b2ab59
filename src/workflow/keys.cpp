#include <algorithm>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/hash.h"
#include "ptq/base/error.h"
#include "quant/network_key.h"
#include "workflow/quantization.h"
#include "workflow/technique_stages.h"

// Every part is taken to pieces by structured bindings: a new field does not compile before it is
// decided which keys it belongs to.

namespace ptq::workflow {
namespace {

class Key {
 public:
  explicit Key(std::string_view stage) { add(std::string(stage)); }

  Key& add(const std::string& text) {
    text_ += std::to_string(text.size()) + ":" + text;
    return *this;
  }
  template <class T>
  Key& add(const T& value) {
    if constexpr (std::is_enum_v<T>) {
      return add(std::to_string(static_cast<int>(value)));
    } else {
      return add(std::to_string(value));
    }
  }
  Key& add(double value) {
    // All digits.
    char text[40];
    std::snprintf(text, sizeof(text), "%a", value);
    return add(std::string(text));
  }
  template <class T>
  Key& add(const std::optional<T>& value) {
    return value ? add(std::string("some")).add(*value) : add(std::string("none"));
  }
  template <class First, class Second, class... Rest>
  Key& add(const First& first, const Second& second, const Rest&... rest) {
    return add(first).add(second, rest...);
  }

  std::string hash() const { return sha256(text_); }

 private:
  std::string text_;
};

void add(Key& key, const NumberSize& size) {
  const auto& [bits, mantissa, exponent] = size;
  key.add(bits, mantissa, exponent);
}

void add(Key& key, const ActivationConfig& activations) {
  const auto& [bits, mantissa, exponent, symmetry, granularity, calibration, timing, percentile,
               unsigned_values] = activations;
  key.add(bits, mantissa, exponent, symmetry, granularity, calibration, timing, percentile,
          unsigned_values);
}

/// Nothing where they are of weights alone, which calibration does not see.
void add(Key& key, const std::vector<LayerOverride>& overrides) {
  const bool any = std::any_of(overrides.begin(), overrides.end(), [](const LayerOverride& each) {
    return each.act_bit_width.has_value();
  });
  if (!any) return;
  for (const LayerOverride& each : overrides) {
    const auto& [pattern, weight_bits, act_bits] = each;
    key.add(pattern, weight_bits, act_bits);
  }
}

}  // namespace

std::string prepared_key(const Source& source, const QuantizeConfig& config) {
  const auto& [iterations, merge_bias] = config.equalization;
  const auto& [ratio, side] = config.splitting;
  return Key("prepared")
      .add(source.graph, config.backend, config.merge_batch_norms, config.calibrate_batch_norms)
      .add(config.relu6, source.has_clamps ? clamps_of(config) : passes::Clamps::kPass)
      .add(iterations, merge_bias, ratio, side, config.hand_defined)
      .hash();
}

std::string equalized_key(const Source& source, const QuantizeConfig& config) {
  Key key("equalized");
  key.add(prepared_key(source, config), source.images);
  if (config.activation_equalization) {
    const auto& [mode, alpha] = *config.activation_equalization;
    key.add(mode, alpha);
  }
  return key.hash();
}

/// Calibration runs in float: it sees no quantizer of a weight or bias.
std::string calibrated_key(const Source& source, const QuantizeConfig& config) {
  const auto& [backend, numbers, scale_type, weights, activations, bias_bits, first_last,
               group_size, layer_bits, residual_adds, merge_batch_norms, relu6, equalization,
               splitting, activation_equalization, rounding, learned_round, augmentation,
               calibrate_batch_norms, correct_biases, quantizers_file, seed, hand_defined] = config;
  Key key("calibrated");
  key.add(equalized_key(source, config), numbers, scale_type, group_size, residual_adds, seed)
      .add(quantizers_file);
  add(key, first_last);
  add(key, layer_bits);
  if (activations) add(key, *activations);
  return key.hash();
}

std::string rounded_key(const Source& source, const QuantizeConfig& config, const Gptq& gptq,
                        const QuantizedNetwork& network) {
  const auto& [act_order, quantize_activations, accumulator, keep_original_weights, held_out] =
      gptq;
  if (quantize_activations || accumulator) throw InternalError("GPTQ sees quantized activations");
  return Key("rounded")
      .add(equalized_key(source, config), quant::weights_key(network), act_order, held_out)
      .hash();
}

}  // namespace ptq::workflow
