#include "options/presets.h"
#include "options/table/option_rows.h"
#include "ptq/quantize_config.h"

namespace ptq::options {
namespace {

constexpr std::string_view kWithoutLearning = "it would have no effect without --learned-round";

}  // namespace

Rows equalization_options() {
  return {
      text("relu6", "auto",
           "ReLU6 becomes ReLU, stays, or stays where replacing it changes the float network on "
           "calibration images")
          .words<Relu6Rule>(
              {{"relu", Relu6Rule::kRelu}, {"keep", Relu6Rule::kKeep}, {"auto", Relu6Rule::kAuto}})
          .sets("relu6")
          .reference_has("relu")
          .ours()
          .from(Level::kPreparation)
          .for_backends(),
      integer("graph-eq-iterations", "20", "iterations of weight equalization; 0 is off")
          .between(0, 10000)
          .sets("equalization.iterations")
          .from(Level::kPreparation)
          .named_in_stem()
          .labelled(14, "Iterations for graph equalization")
          .for_backends(),
      on_off("graph-eq-merge-bias", "on", "let biases count in weight equalization")
          .from(Level::kPreparation)
          .named_in_stem()
          .labelled(15, "Merge bias in graph equalization")
          .for_backends()
          .needs("graph-eq-iterations"),
      text("act-equalization", "None", "move activation ranges into the weights")
          .words<passes::ActivationEqualization>(
              {{"fx", passes::ActivationEqualization::kGraph},
               {"layerwise", passes::ActivationEqualization::kLayerwise}})
          .sets("activation_equalization")
          .or_none()
          .from(Level::kCalibrationImages)
          .for_backends(),
      number("act-equalization-alpha", "0.5",
             "share of an activation's range that moves into the weights")
          .between(0, 1)
          .ours()
          .from(Level::kCalibrationImages)
          .sets("activation_equalization.alpha")
          .needs("act-equalization"),
  };
}

Rows splitting_options() {
  return {
      number("channel-splitting-ratio", "0.0", "share of channels to split")
          .between(0, 1)
          .sets("splitting.ratio")
          .from(Level::kPreparation)
          .named_in_stem()
          .labelled(19, "Channel Splitting Ratio")
          .for_backends()
          .needs("target-backend", {"fx", "layerwise"}, "flexml has no channel splitting"),
      on_off("channel-splitting-split-input", "off",
             "split the layers that read a value, not those that produce it")
          .from(Level::kPreparation)
          .labelled(20, "Split Input")
          .needs("channel-splitting-ratio"),
      on_off("bias-corr", "on", "correct biases for the shift that quantization causes")
          .from(Level::kQuantized)
          .named_in_stem()
          .labelled(13, "Bias Correction Enabled"),
      on_off("calibrate-bn", "off",
             "estimate the statistics of batch norms again (needs --no-merge-bn)")
          .sets("calibrate_batch_norms")
          .from(Level::kPreparation)
          .named_in_stem()
          .labelled(18, "Calibrate BN"),
  };
}

Rows gpxq_options() {
  return {
      on_off("gptq", "off", "round weights with GPTQ")
          .from(Level::kQuantized)
          .named_in_stem()
          .labelled(4, "GPTQ"),
      on_off("gpfq", "off", "round weights with GPFQ")
          .from(Level::kQuantized)
          .named_in_stem()
          .labelled(5, "GPFQ"),
      on_off("qronos", "off", "round weights with Qronos").from(Level::kQuantized),
      number("gpfq-p", "1.0", "share of a layer's inputs that GPFQ uses")
          .above(0, 1)
          .from(Level::kQuantized)
          .sets("rounding.input_fraction")
          .needs("gpfq"),
      number("qronos-damping", "1e-6",
             "damping of Qronos, as a share of the largest eigenvalue of a layer's inputs; "
             "more of it avoids overfitting the calibration images")
          .above(0, 1)
          .ours()
          .from(Level::kQuantized)
          .sets("rounding.damping")
          .needs("qronos"),
      on_off("gpxq-act-order", "off", "round channels with large inputs first (GPTQ, GPFQ, Qronos)")
          .from(Level::kQuantized)
          .named_in_stem()
          .labelled(6, "GPxQ Act Order")
          .needs_one_of({"gptq", "gpfq", "qronos"}),
      on_off("gptq-use-quant-activations", "off", "run GPTQ on quantized activations")
          .from(Level::kQuantized)
          .needs("gptq")
          .needs("act-bit-width"),
      on_off("disable-create-weight-orig", "off",
             "bias correction compares with GPTQ's weights, not the original ones")
          .from(Level::kQuantized)
          .needs("gptq")
          .needs_one_of({"bias-corr", "qronos"}),
  };
}

Rows accumulator_options() {
  return {
      integer("gpxq-accumulator-bit-width", "None",
              "bits that no sum of products exceeds (AXE; GPTQ, GPFQ)")
          .between(3, 64)
          .from(Level::kQuantized)
          .labelled(7, "GPxQ Accumulator Bit Width")
          .sets("rounding.accumulator")
          .needs_one_of({"gptq", "gpfq"},
                        "only GPTQ and GPFQ support accumulator bounds: it would have no effect")
          .needs("act-bit-width", {}, "the bound follows from quantized inputs"),
      integer("gpxq-accumulator-tile-size", "None",
              "products that one accumulator adds; None is a whole dot product (AXE)")
          .at_least(3)
          .from(Level::kQuantized)
          .needs("gpxq-accumulator-bit-width"),
      number("gpxq-held-out", "0.2",
             "share of the calibration images that judge each layer, and with GPFQ and Qronos the "
             "network: what a technique makes worse on them gets the nearest codes; 0 is off")
          .between(0, 0.5)
          .ours()
          .from(Level::kQuantized)
          .sets("rounding.held_out")
          .needs_one_of({"gptq", "gpfq", "qronos"}),
      number("activation-memory", "None",
             "GiB of activations to keep in memory while weights are rounded; the rest goes to "
             "$TMPDIR; None is a quarter of the memory")
          .at_least(0)
          .ours()
          .from(Level::kNothing)
          .not_named()
          .needs_one_of({"gptq", "gpfq", "qronos", "learned-round", "sensitivity", "weight-budget",
                         "size-budget", "bitops-budget", "pareto"}),
  };
}

Rows learned_round_options() {
  return {
      text("learned-round", "None", "learn the rounding of weights")
          .words<passes::RoundingFunction>(
              {{"linear_round", passes::RoundingFunction::kLinear},
               {"hard_sigmoid_round", passes::RoundingFunction::kHardSigmoid},
               {"sigmoid_round", passes::RoundingFunction::kSigmoid}})
          .from(Level::kQuantized)
          .named_in_stem()
          .labelled(8, "Learned Round method")
          .sets("learned_round"),
      text("learned-round-preset", "None",
           "learn by block, with steps, images, rates and dropping chosen together: in minutes, or "
           "as the papers do; explicit options override it")
          .words<LearnedRoundPreset>(
              {{"fast", LearnedRoundPreset::kFast}, {"paper", LearnedRoundPreset::kPaper}})
          .ours()
          .from(Level::kNothing)
          .not_named()
          .needs("learned-round-mode", {"blockwise"}, "its settings are those of blocks")
          .needs("learned-round", {}, kWithoutLearning),
      text("learned-round-block-name", "layer\\d+",
           "regular expression for the modules that form a block (blockwise); with None, or "
           "if the default matches nothing, blocks are residual blocks and the like")
          .or_none()
          .from(Level::kQuantized)
          .sets("learned_round.block_name")
          .needs("learned-round-mode", {"blockwise"})
          .needs("learned-round", {}, kWithoutLearning),
      text("learned-round-loss", "regularised_mse", "loss to minimise")
          .words<passes::RoundingLoss>({{"regularised_mse", passes::RoundingLoss::kRegularisedMse},
                                        {"mse", passes::RoundingLoss::kMse}})
          .from(Level::kQuantized)
          .needs("learned-round", {}, kWithoutLearning),
      text("learned-round-mode", "layerwise", "learn layer by layer, or block by block")
          .words<passes::RoundingScope>({{"layerwise", passes::RoundingScope::kLayer},
                                         {"blockwise", passes::RoundingScope::kBlock}})
          .from(Level::kQuantized)
          .needs("learned-round", {}, kWithoutLearning),
      integer("learned-round-iters", "1000", "steps per layer or block")
          .at_least(1)
          .from(Level::kQuantized)
          .needs("learned-round", {}, kWithoutLearning),
      text("learned-round-lr-scheduler", "None", "schedule of the learning rate")
          .words<passes::LearningRate>({{"linear", passes::LearningRate::kLinear}})
          .from(Level::kQuantized)
          .needs("learned-round", {}, kWithoutLearning),
      number("learned-round-lr", "0.001", "learning rate")
          .above(0)
          .from(Level::kQuantized)
          .needs("learned-round", {}, kWithoutLearning),
      integer("learned-round-batch-size", "1", "images per step; None uses all of them")
          .at_least(1)
          .or_none()
          .from(Level::kQuantized)
          .needs("learned-round", {}, kWithoutLearning),
  };
}

Rows learning_options() {
  return {
      number("learned-round-damping", "0.0",
             "damping, as a share of each input's mean square; it keeps weights close to what "
             "they were and avoids overfitting the calibration images")
          .at_least(0)
          .ours()
          .from(Level::kQuantized)
          .needs("learned-round-mode", {"layerwise"}, "blocks are learned without damping")
          .needs("learned-round", {}, kWithoutLearning),
      text("optimizer", "adam", "optimizer of learned rounding")
          .words<passes::RoundingOptimizer>({{"adam", passes::RoundingOptimizer::kAdam},
                                             {"sign_sgd", passes::RoundingOptimizer::kSignSgd}})
          .from(Level::kQuantized)
          .needs("learned-round", {}, kWithoutLearning),
      text("learned-round-channel-error", "absolute",
           "error of a block's output: squared, or squared and relative to the mean square "
           "of the channel")
          .words<passes::ChannelError>({{"absolute", passes::ChannelError::kAbsolute},
                                        {"relative", passes::ChannelError::kRelative}})
          .ours()
          .from(Level::kQuantized)
          .needs("learned-round-mode", {"blockwise"},
                 "the channels of a single layer are learned independently: add "
                 "--learned-round-mode blockwise")
          .needs("learned-round", {}, kWithoutLearning),
      number("drop-activations", "0.0",
             "probability that a quantized activation keeps its float value while a block "
             "learns (QDrop)")
          .between(0, 1)
          .ours()
          .from(Level::kQuantized)
          .needs("learned-round-mode", {"blockwise"},
                 "a single layer contains no activations: add --learned-round-mode blockwise")
          .needs("act-bit-width")
          .needs("learned-round", {}, kWithoutLearning),
      number("learned-round-act-lr", "0.0",
             "learning rate of activation scales inside a block, as a part of the scale per step; "
             "0 leaves them as calibrated")
          .between(0, 1)
          .ours()
          .from(Level::kQuantized)
          .sets("learned_round.activation_learning_rate")
          .needs("learned-round-mode", {"blockwise"},
                 "a single layer contains no activations: add --learned-round-mode blockwise")
          .needs("act-bit-width")
          .needs("act-scale-computation-type", {"static"})
          .needs("scale-factor-type", {"float_scale"}, "powers of two leave no room to learn")
          .needs("learned-round", {}, kWithoutLearning),
      integer("calibration-augment", "0",
              "views of each calibration image that roundings are learned on besides it: random "
              "crops, half of them mirrored; 0 is off")
          .between(0, 1000)
          .ours()
          .from(Level::kQuantized)
          .sets("augmentation.views")
          .needs("learned-round", {}, kWithoutLearning),
  };
}

}  // namespace ptq::options
