#include "cli/options/option_rows.h"

namespace ptq::cli {

Rows graph_technique_options() {
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
  };
}

Rows gpxq_options() {
  return {
      on_off("gptq", "off", "GPTQ"),
      on_off("gpfq", "off", "GPFQ"),
      on_off("qronos", "off", "Qronos"),
      number("gpfq-p", "1.0", "share of a layer's inputs that GPFQ looks at").above(0, 1),
      number("qronos-damping", "1e-6",
             "part of the largest eigenvalue of a layer's inputs that keeps Qronos from learning "
             "the calibration images by heart")
          .above(0, 1)
          .ours(),
      on_off("gpxq-act-order", "off", "GPTQ, GPFQ, Qronos: large inputs first"),
      on_off("gptq-use-quant-activations", "off", "GPTQ on quantized activations"),
      on_off("disable-create-weight-orig", "off",
             "bias correction takes GPTQ's weights for the float ones"),
      integer("gpxq-accumulator-bit-width", "None",
              "GPTQ, GPFQ: bits that no sum of products exceeds (AXE)")
          .between(3, 64),
      integer("gpxq-accumulator-tile-size", "None",
              "products that one accumulator adds; None is all of an output's (AXE)")
          .at_least(3),
      number("activation-memory", "None",
             "GiB of activations kept in memory while weights are rounded, more goes to $TMPDIR; "
             "None is a quarter of the memory")
          .at_least(0)
          .ours(),
  };
}

Rows learned_round_options() {
  return {
      text("learned-round", "None", "learn the rounding of weights")
          .one_of({"linear_round", "hard_sigmoid_round", "sigmoid_round"}),
      text("learned-round-block-name", "layer\\d+",
           "regular expression for the names of modules that make a block (blockwise); None, or a "
           "default that finds none: residual blocks and their like")
          .or_none(),
      text("learned-round-loss", "regularised_mse", "what is minimised")
          .one_of({"regularised_mse", "mse"}),
      text("learned-round-mode", "layerwise", "a layer at a time, or a block")
          .one_of({"layerwise", "blockwise"}),
      integer("learned-round-iters", "1000", "steps a layer or block").at_least(1),
      text("learned-round-lr-scheduler", "None", "how the learning rate falls").one_of({"linear"}),
      number("learned-round-lr", "0.001", "learning rate").above(0),
      integer("learned-round-batch-size", "1", "images a step; None: all of them")
          .at_least(1)
          .or_none(),
      number("learned-round-damping", "0.0",
             "part of each input's mean square that keeps weights close to what they were, against "
             "learning the calibration images by heart")
          .at_least(0)
          .ours(),
      text("optimizer", "adam", "optimizer of learned rounding").one_of({"adam", "sign_sgd"}),
      text(
          "learned-round-channel-error", "absolute",
          "whether each channel of a block's output counts with its squared error, or with that as "
          "a part of the channel's mean square")
          .one_of({"absolute", "relative"})
          .ours(),
      number("drop-activations", "0.0",
             "probability with which a quantized activation keeps its float value while a block "
             "learns (QDrop)")
          .between(0, 1)
          .ours(),
  };
}

}  // namespace ptq::cli
