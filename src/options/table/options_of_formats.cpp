#include "options/table/option_rows.h"
#include "ptq/quantize_config.h"

namespace ptq::options {
namespace {

const std::initializer_list<std::pair<std::string_view, Symmetry>> kSymmetries = {
    {"sym", Symmetry::kSymmetric}, {"asym", Symmetry::kAsymmetric}};

const std::vector<std::string_view> kMinifloats = {"float", "float_ocp"};
constexpr std::string_view kOnlyLayerwise =
    "only layerwise treats the first and last layer differently";

}  // namespace

Rows quantization_options() {
  return {
      text("target-backend", "fx", "rules that place the quantizers")
          .words<Backend>({{"fx", Backend::kFx},
                           {"layerwise", Backend::kLayerwise},
                           {"flexml", Backend::kFlexml}})
          .from(Level::kPreparation)
          .named_in_stem()
          .labelled(0, "Target backend")
          .sets("backend")
          .for_backends(),
      text("quant-format", "int", "number format of weights and activations")
          .words<NumberKind>({{"int", NumberKind::kInteger},
                              {"float", NumberKind::kMinifloat},
                              {"float_ocp", NumberKind::kOcpMinifloat}})
          .from(Level::kActivations)
          .named_in_stem()
          .sets("numbers")
          .for_backends(),
      text("scale-factor-type", "float_scale", "scales of any value, or powers of two")
          .words<ScaleType>(
              {{"float_scale", ScaleType::kFloat}, {"po2_scale", ScaleType::kPowerOfTwo}})
          .from(Level::kActivations)
          .named_in_stem()
          .labelled(1, "Quantization type")
          .sets("scale_type")
          .for_backends(),
      integer("act-bit-width", "8", "bits per activation; 0 or None quantizes only the weights")
          .between(2, 16)
          .or_none()
          .also({"0"})
          .from(Level::kActivations)
          .named_in_stem()
          .labelled(2, "Activation bit width")
          .sets("activations.bit_width"),
      integer("weight-bit-width", "8", "bits per weight")
          .between(2, 16)
          .from(Level::kQuantized)
          .named_in_stem()
          .labelled(3, "Weight bit width")
          .sets("weights.bit_width"),
      integer("bias-bit-width", "32", "bits per bias; None keeps biases in float")
          .one_of({"32", "16"})
          .or_none()
          .from(Level::kQuantized)
          .named_in_stem()
          .labelled(10, "Bias bit width")
          .sets("bias_bit_width")
          .for_backends(),
  };
}

Rows symmetry_options() {
  return {
      text("act-quant-type", "sym", "symmetric or asymmetric activations")
          .words<Symmetry>(kSymmetries)
          .from(Level::kActivations)
          .named_in_stem()
          .labelled(12, "Activation quant type")
          .sets("activations.symmetry")
          .for_backends()
          .needs("act-bit-width"),
      text("weight-quant-type", "sym", "symmetric or asymmetric weights")
          .words<Symmetry>(kSymmetries)
          .from(Level::kQuantized)
          .sets("weights.symmetry")
          .for_backends(),
  };
}

Rows scale_options() {
  return {
      text("weight-quant-granularity", "per_tensor", "which weights share a scale")
          .words<Granularity>({{"per_tensor", Granularity::kPerTensor},
                               {"per_channel", Granularity::kPerChannel},
                               {"per_group", Granularity::kPerGroup}})
          .from(Level::kQuantized)
          .named_in_stem()
          .labelled(11, "Weight scale factors type")
          .sets("weights.granularity")
          .for_backends(),
      text("act-quant-granularity", "per_tensor", "which activations share a scale")
          .words<Granularity>(
              {{"per_tensor", Granularity::kPerTensor}, {"per_group", Granularity::kPerGroup}})
          .from(Level::kActivations)
          .sets("activations.granularity")
          .for_backends()
          .needs("act-bit-width"),
      integer("group-size", "32", "neighbouring input channels that share a scale (per_group)")
          .between(2, 4096)
          .ours()
          .from(Level::kActivations)
          .sets("group_size")
          .needs_one_of({{"weight-quant-granularity", {"per_group"}},
                         {"act-quant-granularity", {"per_group"}}}),
      text("weight-quant-calibration-type", "stats", "method that finds weight scales")
          .words<Calibration>({{"stats", Calibration::kStatistics},
                               {"mse", Calibration::kMse},
                               {"hqo", Calibration::kHqo}})
          .from(Level::kQuantized)
          .named_in_stem()
          .labelled(17, "Weight quant calibration type")
          .sets("weights.calibration")
          .for_backends(),
      text("act-quant-calibration-type", "stats", "method that finds activation scales")
          .words<Calibration>({{"stats", Calibration::kStatistics}, {"mse", Calibration::kMse}})
          .from(Level::kActivations)
          .named_in_stem()
          .labelled(16, "Activation quant calibration type")
          .sets("activations.calibration")
          .for_backends()
          .needs("act-bit-width"),
  };
}

Rows range_options() {
  return {
      text("act-scale-computation-type", "static",
           "calibrate activation scales once, or compute them for every input")
          .words<Timing>({{"static", Timing::kStatic}, {"dynamic", Timing::kDynamic}})
          .from(Level::kActivations)
          .sets("activations.timing")
          .for_backends()
          .needs("act-bit-width"),
      number("act-quant-percentile", "99.999",
             "percentile of |x| that an activation's range covers")
          .above(0, 100)
          .from(Level::kActivations)
          .named_in_stem()
          .sets("activations.percentile")
          .needs("act-quant-calibration-type", {"stats"})
          .needs("quant-format", {"int"},
                 "the range of minifloat activations is the largest value: it would have no effect")
          .needs("act-scale-computation-type", {"static"})
          .needs("act-bit-width"),
      text("load-quantizers", "None",
           "file of --dump-quantizers whose scales and zero points take the place of calibration")
          .ours()
          .from(Level::kActivations)
          .not_named()
          .sets("quantizers_file"),
      on_off("weight-narrow-range", "off", "do not use the most negative weight code")
          .from(Level::kQuantized)
          .named_in_stem()
          .labelled(9, "Weight narrow range")
          .for_backends()
          .needs("quant-format", {"int"}),
      on_off("uint-sym-act-for-unsigned-values", "on",
             "use unsigned codes for values that are never negative")
          .from(Level::kActivations)
          .for_backends()
          .needs("quant-format", {"int"})
          .needs("act-bit-width"),
      text("residual-adds", "quantized",
           "residual adds (fx, flexml): operands share a scale, have 16 bits and scales of "
           "their own, or stay in float")
          .words<ResidualAdds>({{"quantized", ResidualAdds::kQuantized},
                                {"wide", ResidualAdds::kWide},
                                {"float", ResidualAdds::kFloat}})
          .ours()
          .from(Level::kActivations)
          .for_backends()
          .needs("target-backend", {"fx", "flexml"}, "layerwise leaves residual adds in float")
          .needs("act-bit-width"),
      on_off("merge-bn", "on", "merge batch norms into the layers before them")
          .from(Level::kPreparation)
          .labelled(21, "Merge BN")
          .for_backends(),
  };
}

Rows number_format_options() {
  const auto bits = [](std::string_view name, std::string_view value, std::string_view help) {
    return integer(name, value, help).between(0, 6);
  };
  return {
      integer("layerwise-first-last-bit-width", "8", "bits of the first and last layer (layerwise)")
          .between(2, 16)
          .from(Level::kActivations)
          .sets("first_last.bit_width")
          .needs("target-backend", {"layerwise"}, kOnlyLayerwise),
      bits("layerwise-first-last-mantissa-bit-width", "4",
           "mantissa bits of the first and last layer (float formats)")
          .from(Level::kActivations)
          .sets("first_last.mantissa_bit_width")
          .needs("target-backend", {"layerwise"}, kOnlyLayerwise)
          .needs("quant-format", kMinifloats),
      bits("layerwise-first-last-exponent-bit-width", "3",
           "exponent bits of the first and last layer (float formats)")
          .from(Level::kActivations)
          .sets("first_last.exponent_bit_width")
          .needs("target-backend", {"layerwise"}, kOnlyLayerwise)
          .needs("quant-format", kMinifloats),
      bits("weight-mantissa-bit-width", "4", "mantissa bits per weight (float formats)")
          .from(Level::kQuantized)
          .named_in_stem()
          .sets("weights.mantissa_bit_width")
          .needs("quant-format", kMinifloats),
      bits("weight-exponent-bit-width", "3", "exponent bits per weight (float formats)")
          .from(Level::kQuantized)
          .named_in_stem()
          .sets("weights.exponent_bit_width")
          .needs("quant-format", kMinifloats),
      bits("act-mantissa-bit-width", "4", "mantissa bits per activation (float formats)")
          .from(Level::kActivations)
          .named_in_stem()
          .sets("activations.mantissa_bit_width")
          .needs("quant-format", kMinifloats),
      bits("act-exponent-bit-width", "3", "exponent bits per activation (float formats)")
          .from(Level::kActivations)
          .named_in_stem()
          .sets("activations.exponent_bit_width")
          .needs("quant-format", kMinifloats),
      texts("layer-bits", "None",
            "REGEX=W4,A8 (or W4, or A8): other bit widths for the layers whose name matches "
            "the regular expression")
          .ours()
          .from(Level::kActivations)
          .sets("layer_bits")
          .for_backends(),
  };
}

}  // namespace ptq::options
