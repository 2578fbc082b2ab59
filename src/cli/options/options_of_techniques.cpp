#include "cli/options/option_rows.h"

namespace ptq::cli {

Rows graph_technique_options() {
  return {
      integer("graph-eq-iterations", "20", "iterations of weight equalization; 0 is off")
          .between(0, 10000),
      on_off("graph-eq-merge-bias", "on", "let biases count in weight equalization"),
      text("act-equalization", "None", "move activation ranges into the weights")
          .one_of({"fx", "layerwise"})
          .or_none(),
      number("act-equalization-alpha", "0.5",
             "share of an activation's range that moves into the weights")
          .between(0, 1)
          .ours(),
      number("channel-splitting-ratio", "0.0", "share of channels to split").between(0, 1),
      on_off("channel-splitting-split-input", "off",
             "split the layers that read a value, not those that produce it"),
      on_off("bias-corr", "on", "correct biases for the shift that quantization causes"),
      on_off("calibrate-bn", "off",
             "estimate the statistics of batch norms again (needs --no-merge-bn)"),
  };
}

Rows gpxq_options() {
  return {
      on_off("gptq", "off", "round weights with GPTQ"),
      on_off("gpfq", "off", "round weights with GPFQ"),
      on_off("qronos", "off", "round weights with Qronos"),
      number("gpfq-p", "1.0", "share of a layer's inputs that GPFQ uses").above(0, 1),
      number("qronos-damping", "1e-6",
             "damping of Qronos, as a share of the largest eigenvalue of a layer's inputs; "
             "more of it avoids overfitting the calibration images")
          .above(0, 1)
          .ours(),
      on_off("gpxq-act-order", "off",
             "round channels with large inputs first (GPTQ, GPFQ, Qronos)"),
      on_off("gptq-use-quant-activations", "off", "run GPTQ on quantized activations"),
      on_off("disable-create-weight-orig", "off",
             "bias correction compares with GPTQ's weights, not the original ones"),
      integer("gpxq-accumulator-bit-width", "None",
              "bits that no sum of products exceeds (AXE; GPTQ, GPFQ)")
          .between(3, 64),
      integer("gpxq-accumulator-tile-size", "None",
              "products that one accumulator adds; None is a whole dot product (AXE)")
          .at_least(3),
      number("activation-memory", "None",
             "GiB of activations to keep in memory while weights are rounded; the rest goes to "
             "$TMPDIR; None is a quarter of the memory")
          .at_least(0)
          .ours(),
  };
}

Rows learned_round_options() {
  return {
      text("learned-round", "None", "learn the rounding of weights")
          .one_of({"linear_round", "hard_sigmoid_round", "sigmoid_round"}),
      text("learned-round-block-name", "layer\\d+",
           "regular expression for the modules that form a block (blockwise); with None, or "
           "if the default matches nothing, blocks are residual blocks and the like")
          .or_none(),
      text("learned-round-loss", "regularised_mse", "loss to minimise")
          .one_of({"regularised_mse", "mse"}),
      text("learned-round-mode", "layerwise", "learn layer by layer, or block by block")
          .one_of({"layerwise", "blockwise"}),
      integer("learned-round-iters", "1000", "steps per layer or block").at_least(1),
      text("learned-round-lr-scheduler", "None", "schedule of the learning rate")
          .one_of({"linear"}),
      number("learned-round-lr", "0.001", "learning rate").above(0),
      integer("learned-round-batch-size", "1", "images per step; None uses all of them")
          .at_least(1)
          .or_none(),
      number("learned-round-damping", "0.0",
             "damping, as a share of each input's mean square; it keeps weights close to what "
             "they were and avoids overfitting the calibration images")
          .at_least(0)
          .ours(),
      text("optimizer", "adam", "optimizer of learned rounding").one_of({"adam", "sign_sgd"}),
      text("learned-round-channel-error", "absolute",
           "error of a block's output: squared, or squared and relative to the mean square "
           "of the channel")
          .one_of({"absolute", "relative"})
          .ours(),
      number("drop-activations", "0.0",
             "probability that a quantized activation keeps its float value while a block "
             "learns (QDrop)")
          .between(0, 1)
          .ours(),
  };
}

}  // namespace ptq::cli
