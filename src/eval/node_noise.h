#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ptq/ir/graph.h"
#include "ptq/quant/quantized_network.h"
#include "ptq/runtime/execution.h"

/// Where a network loses what: the noise at every node, and what each quantizer does on its own.
namespace ptq::eval {

/// Magnitudes by channel (ir/channel_axis.h; output channels of a weight).
struct ValueRange {
  /// Largest |x|.
  double largest = 0;
  int64_t widest_channel = 0;
  /// Largest |x| over the largest of the median channel; infinite where that is zero.
  double widest_to_median = 1;
};

/// What a quantizer does to the float stream's values (activations) or to a weight.
struct OwnNoise {
  /// dB, as below.
  double sqnr = 0;
  /// Distance of two codes, the largest of several scales; none where it is found for each image or
  /// the format has no even steps.
  std::optional<double> step;
  /// Share of the values other than zero that become zero.
  double vanished = 0;
  /// Share of the values that the codes do not reach; none without a step.
  std::optional<double> clipped;
};

struct NodeNoise {
  std::string name;
  std::string operation;
  /// Of the node's output in the quantized network against the float one, in dB: over all values,
  /// and of the median channel. One channel with huge values hides in the first what befalls all
  /// others, and the second shows it.
  double sqnr = 0;
  double median_channel_sqnr = 0;
  /// Of the float stream's output.
  ValueRange range;
  /// Of activation quantizers and of quantized layers' weights.
  std::optional<OwnNoise> own;
  std::optional<ValueRange> weight_range;
};

/// Images [N, 3, H, W] float32 from a source, or nothing at its end.
using NextImages = std::function<std::optional<at::Tensor>()>;

/// Runs `exact` in float and `quantized` with its quantizers, image by image on one core, and
/// compares the outputs of all nodes that compute (constants and changes of shape left out), in
/// execution order. Both have the same nodes; `exact` holds the weights and biases before
/// techniques changed them. Memory holds one image's activations. Throws DataError if there was no
/// image, InternalError if the graphs differ.
std::vector<NodeNoise> measure_node_noise(const ir::Graph& exact, const QuantizedNetwork& quantized,
                                          const runtime::Execution& execution,
                                          const NextImages& next_images);

/// The same nodes, least median_channel_sqnr first.
std::vector<NodeNoise> worst_first(std::vector<NodeNoise> nodes);

}  // namespace ptq::eval
