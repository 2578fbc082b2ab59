#include <algorithm>

#include "ptq/cli/option.h"

namespace ptq::cli {
namespace {

using Rows = std::vector<Option>;

Option row(std::string_view name, ValueType type, std::string_view value, std::string_view help) {
  Option option;
  option.name = name;
  option.type = type;
  option.default_value = value;
  option.help = help;
  option.accepts_none = value == "None";
  return option;
}

Option text(std::string_view name, std::string_view value, std::string_view help) {
  return row(name, ValueType::kText, value, help);
}
Option texts(std::string_view name, std::string_view value, std::string_view help) {
  return row(name, ValueType::kTexts, value, help);
}
Option integer(std::string_view name, std::string_view value, std::string_view help) {
  return row(name, ValueType::kInteger, value, help);
}
Option number(std::string_view name, std::string_view value, std::string_view help) {
  return row(name, ValueType::kNumber, value, help);
}
Option numbers(std::string_view name, std::string_view value, std::string_view help) {
  return row(name, ValueType::kNumbers, value, help);
}
Option a_switch(std::string_view name, std::string_view help) {
  return row(name, ValueType::kSwitch, "off", help);
}
Option on_off(std::string_view name, std::string_view value, std::string_view help) {
  return row(name, ValueType::kOnOff, value, help);
}

Rows model_options() {
  return {
      text("model", "None", "TorchScript file to evaluate").ours(),
      text("model-dir", "None", "folder in which --model-name looks for NAME.pt").ours(),
      text("model-name", "resnet18", "name of the model; also says its preprocessing"),
      text("dtype", "float", "number type of the network").one_of({"float", "bfloat16", "float16"}),
  };
}

Rows data_options() {
  return {
      text("calibration-dir", "None", "image folder that calibrates the activations"),
      text("validation-dir", "None", "image folder on which accuracy is measured"),
      integer("calibration-samples", "1000", "images used for calibration").at_least(1),
      text("calibration-sampling", "stratified",
           "which images: evenly from all classes, the "
           "first in order, or any")
          .one_of({"stratified", "first", "random"})
          .ours(),
      integer("batch-size-calibration", "64", "images a calibration batch").at_least(1),
      integer("batch-size-validation", "256", "images a validation batch").at_least(1),
      integer("workers", "8", "threads that decode images").between(1, 1024),
      a_switch("skip-unreadable", "leave out images that cannot be read, and list them").ours(),
      integer("resize", "None", "pixels of the short side after resizing")
          .between(1, 8192)
          .by_default("by model name")
          .ours(),
      integer("crop", "None", "pixels of the square cut out of the centre")
          .between(1, 8192)
          .by_default("by model name")
          .ours(),
      numbers("mean", "None", "mean of red, green and blue").by_default("by model name").ours(),
      numbers("std", "None", "deviation of red, green and blue")
          .above(0)
          .by_default("by model name")
          .ours(),
      text("interpolation", "None", "how to resize")
          .one_of({"bilinear", "bicubic"})
          .by_default("by model name")
          .ours(),
      number("image-memory", "2", "GiB in which decoded images are kept").at_least(0).ours(),
  };
}

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

Rows technique_options() {
  return {
      integer("graph-eq-iterations", "20", "rounds of weight equalization; 0 is off")
          .between(0, 10000),
      on_off("graph-eq-merge-bias", "on", "equalization takes the bias into account"),
      text("act-equalization", "None", "moves activation ranges into weights")
          .one_of({"fx", "layerwise"})
          .or_none(),
      number("act-equalization-alpha", "0.5",
             "share of an activation's range that moves into the weights")
          .between(0, 1)
          .ours(),
      number("channel-splitting-ratio", "0.0", "share of channels to split").between(0, 1),
      on_off("channel-splitting-split-input", "off", "split what reads a value, not what makes it"),
      on_off("bias-corr", "on", "correct biases for what quantization shifts"),
      on_off("calibrate-bn", "off", "re-estimate the statistics of batch norms (--no-merge-bn)"),
      on_off("gptq", "off", "GPTQ").serves_default(),
      on_off("gpfq", "off", "GPFQ").serves_default(),
      on_off("qronos", "off", "Qronos").serves_default(),
      number("gpfq-p", "1.0", "has no effect in the reference").serves_default(),
      on_off("gpxq-act-order", "off", "GPTQ, GPFQ, Qronos: large inputs first").serves_default(),
      on_off("gptq-use-quant-activations", "off", "GPTQ on quantized activations").serves_default(),
      on_off("disable-create-weight-orig", "off", "GPTQ keeps no original weights")
          .serves_default(),
      integer("gpxq-accumulator-bit-width", "None", "bits of the accumulator (AXE)")
          .at_least(1)
          .serves_default(),
      integer("gpxq-accumulator-tile-size", "None", "products an accumulator adds (AXE)")
          .at_least(1)
          .serves_default(),
  };
}

Rows learned_round_options() {
  return {
      text("learned-round", "None", "learn the rounding of weights")
          .one_of({"linear_round", "hard_sigmoid_round", "sigmoid_round"})
          .serves_default(),
      text("learned-round-block-name", "layer\\d+", "modules that make a block (blockwise)")
          .serves_default(),
      text("learned-round-loss", "regularised_mse", "what is minimised")
          .one_of({"regularised_mse", "mse"})
          .serves_default(),
      text("learned-round-mode", "layerwise", "a layer at a time, or a block")
          .one_of({"layerwise", "blockwise"})
          .serves_default(),
      integer("learned-round-iters", "1000", "steps a layer").at_least(1).serves_default(),
      text("learned-round-lr-scheduler", "None", "how the learning rate falls")
          .one_of({"linear"})
          .serves_default(),
      number("learned-round-lr", "0.001", "learning rate").above(0).serves_default(),
      integer("learned-round-batch-size", "1", "images a step").at_least(1).serves_default(),
      text("optimizer", "adam", "optimizer of learned rounding")
          .one_of({"adam", "sign_sgd"})
          .serves_default(),
  };
}

Rows run_options() {
  return {
      text("config", "None", "YAML file with values for any of these options"),
      on_off("compile", "on", "run the optimised plan; off runs node by node").reference_has("off"),
      integer("threads", "None", "cores the network uses")
          .between(1, 1024)
          .by_default("all cores")
          .ours(),
      integer("gpu", "None", "index of the CUDA device; None is the CPU").at_least(0),
      integer("seed", "123456", "seed of everything random").at_least(0).ours(),
      a_switch("explain", "list what techniques left out, and why").ours(),
      a_switch("skip-float", "do not evaluate the float network").ours(),
  };
}

Rows output_options() {
  return {
      text("report", "None", "JSON file for all results").ours(),
      text("dump-quantizers", "None", "JSON file for scales, zero points and formats").ours(),
      text("dump-logits", "None", ".npy file for the quantized network's logits").ours(),
      text("dump-float-logits", "None", ".npy file for the float network's logits").ours(),
      text("export-dir", ".", "existing folder for exported models").serves_default(),
      a_switch("export-onnx-qcdq", "export ONNX").serves_default(),
      a_switch("export-torch-qcdq", "export TorchScript").serves_default(),
      integer("onnx-opset-version", "None", "ONNX opset").at_least(1).serves_default(),
  };
}

void append(Rows& rows, Group group, Rows more) {
  for (Option& option : more) {
    option.group = group;
    rows.push_back(std::move(option));
  }
}

Rows all_options() {
  Rows rows;
  append(rows, Group::kModel, model_options());
  append(rows, Group::kData, data_options());
  append(rows, Group::kQuantization, quantization_options());
  append(rows, Group::kQuantization, number_format_options());
  append(rows, Group::kTechniques, technique_options());
  append(rows, Group::kTechniques, learned_round_options());
  append(rows, Group::kRun, run_options());
  append(rows, Group::kOutput, output_options());
  return rows;
}

}  // namespace

const std::vector<Option>& option_table() {
  static const Rows rows = all_options();
  return rows;
}

const Option* find_option(std::string_view name) {
  const Rows& rows = option_table();
  const auto found = std::find_if(rows.begin(), rows.end(),
                                  [&](const Option& option) { return option.name == name; });
  return found == rows.end() ? nullptr : &*found;
}

}  // namespace ptq::cli
