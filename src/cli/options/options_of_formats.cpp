#include "cli/options/option_rows.h"

namespace ptq::cli {

Rows quantization_options() {
  return {
      text("target-backend", "fx", "where quantizers are placed")
          .one_of({"fx", "layerwise", "flexml"}),
      text("quant-format", "int", "number format of weights and activations")
          .one_of({"int", "float", "float_ocp"}),
      text("scale-factor-type", "float_scale", "any scale, or powers of two")
          .one_of({"float_scale", "po2_scale"}),
      integer("act-bit-width", "8", "bits of an activation; 0 or None: only weights are quantized")
          .between(2, 16)
          .or_none()
          .also({"0"}),
      integer("weight-bit-width", "8", "bits of a weight").between(2, 16),
      integer("bias-bit-width", "32", "bits of a bias; None leaves biases in float")
          .one_of({"32", "16"})
          .or_none(),
      text("act-quant-type", "sym", "symmetric or asymmetric activations").one_of({"sym", "asym"}),
      text("weight-quant-type", "sym", "symmetric or asymmetric weights").one_of({"sym", "asym"}),
      text("weight-quant-granularity", "per_tensor", "what shares a weight scale")
          .one_of({"per_tensor", "per_channel", "per_group"}),
      text("act-quant-granularity", "per_tensor", "what shares an activation scale")
          .one_of({"per_tensor", "per_group"}),
      integer("group-size", "32", "values along the input channels that share a scale (per_group)")
          .between(2, 4096)
          .ours(),
      text("weight-quant-calibration-type", "stats", "how weight scales are found")
          .one_of({"stats", "mse", "hqo"}),
      text("act-quant-calibration-type", "stats", "how activation scales are found")
          .one_of({"stats", "mse"}),
      text("act-scale-computation-type", "static", "calibrated once, or computed per input")
          .one_of({"static", "dynamic"}),
      number("act-quant-percentile", "99.999", "percentile of |x| that an activation must hold")
          .above(0, 100),
      on_off("weight-narrow-range", "off", "leave out the most negative weight code"),
      on_off("uint-sym-act-for-unsigned-values", "on",
             "unsigned codes where values are never negative"),
      text("residual-adds", "quantized",
           "residual adds: operands on one scale, 16 bits with a scale each, or float (fx, flexml)")
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
      integer("layerwise-first-last-bit-width", "8", "bits of first and last layer (layerwise)")
          .between(2, 16),
      bits("layerwise-first-last-mantissa-bit-width", "4", "their mantissa bits (float formats)"),
      bits("layerwise-first-last-exponent-bit-width", "3", "their exponent bits (float formats)"),
      bits("weight-mantissa-bit-width", "4", "mantissa bits of a weight (float formats)"),
      bits("weight-exponent-bit-width", "3", "exponent bits of a weight (float formats)"),
      bits("act-mantissa-bit-width", "4", "mantissa bits of an activation (float formats)"),
      bits("act-exponent-bit-width", "3", "exponent bits of an activation (float formats)"),
      texts("layer-bits", "None",
            "REGEX=W4,A8 (or W4, or A8): other bit widths for the layers whose name the regular "
            "expression finds")
          .ours(),
  };
}

}  // namespace ptq::cli
