#include "cli/options/option_rows.h"

namespace ptq::cli {

Rows quantization_options() {
  return {
      text("target-backend", "fx", "rules that place the quantizers")
          .one_of({"fx", "layerwise", "flexml"}),
      text("quant-format", "int", "number format of weights and activations")
          .one_of({"int", "float", "float_ocp"}),
      text("scale-factor-type", "float_scale", "scales of any value, or powers of two")
          .one_of({"float_scale", "po2_scale"}),
      integer("act-bit-width", "8", "bits per activation; 0 or None quantizes only the weights")
          .between(2, 16)
          .or_none()
          .also({"0"}),
      integer("weight-bit-width", "8", "bits per weight").between(2, 16),
      integer("bias-bit-width", "32", "bits per bias; None keeps biases in float")
          .one_of({"32", "16"})
          .or_none(),
      text("act-quant-type", "sym", "symmetric or asymmetric activations").one_of({"sym", "asym"}),
      text("weight-quant-type", "sym", "symmetric or asymmetric weights").one_of({"sym", "asym"}),
      text("weight-quant-granularity", "per_tensor", "which weights share a scale")
          .one_of({"per_tensor", "per_channel", "per_group"}),
      text("act-quant-granularity", "per_tensor", "which activations share a scale")
          .one_of({"per_tensor", "per_group"}),
      integer("group-size", "32", "neighbouring input channels that share a scale (per_group)")
          .between(2, 4096)
          .ours(),
      text("weight-quant-calibration-type", "stats", "method that finds weight scales")
          .one_of({"stats", "mse", "hqo"}),
      text("act-quant-calibration-type", "stats", "method that finds activation scales")
          .one_of({"stats", "mse"}),
      text("act-scale-computation-type", "static",
           "calibrate activation scales once, or compute them for every input")
          .one_of({"static", "dynamic"}),
      number("act-quant-percentile", "99.999",
             "percentile of |x| that an activation's range covers")
          .above(0, 100),
      on_off("weight-narrow-range", "off", "do not use the most negative weight code"),
      on_off("uint-sym-act-for-unsigned-values", "on",
             "use unsigned codes for values that are never negative"),
      text("residual-adds", "quantized",
           "residual adds (fx, flexml): operands share a scale, have 16 bits and scales of "
           "their own, or stay in float")
          .one_of({"quantized", "wide", "float"})
          .ours(),
      on_off("merge-bn", "on", "merge batch norms into the layers before them"),
  };
}

Rows number_format_options() {
  const auto bits = [](std::string_view name, std::string_view value, std::string_view help) {
    return integer(name, value, help).between(0, 6);
  };
  return {
      integer("layerwise-first-last-bit-width", "8", "bits of the first and last layer (layerwise)")
          .between(2, 16),
      bits("layerwise-first-last-mantissa-bit-width", "4",
           "mantissa bits of the first and last layer (float formats)"),
      bits("layerwise-first-last-exponent-bit-width", "3",
           "exponent bits of the first and last layer (float formats)"),
      bits("weight-mantissa-bit-width", "4", "mantissa bits per weight (float formats)"),
      bits("weight-exponent-bit-width", "3", "exponent bits per weight (float formats)"),
      bits("act-mantissa-bit-width", "4", "mantissa bits per activation (float formats)"),
      bits("act-exponent-bit-width", "3", "exponent bits per activation (float formats)"),
      texts("layer-bits", "None",
            "REGEX=W4,A8 (or W4, or A8): other bit widths for the layers whose name matches "
            "the regular expression")
          .ours(),
  };
}

}  // namespace ptq::cli
