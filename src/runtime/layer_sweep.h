#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "ptq/quant/quantized_network.h"

/// The layer sweep: the calibration set walks through the graph once, and stops at every unit while
/// a technique changes its weights. What a unit sees are images that came through all units before
/// it as they are by then. So treating L layers costs one pass, not L.
namespace ptq::runtime {

/// How one copy of the calibration set computes.
struct Stream {
  /// kOriginal: float weights as they were when the sweep began (SweepOptions::original_weights).
  /// kCurrent: float weights as they are now. kQuantized: weights as they are now, quantized.
  enum class Weights { kOriginal, kCurrent, kQuantized };
  Weights weights = Weights::kQuantized;
  /// Whether activation and bias quantizers are on.
  bool quantize_activations = false;
};

/// Nodes that are treated together, in execution order: one layer, or a block. They read one value
/// that depends on the images and is made outside, and make one that is read outside.
struct SweepUnit {
  std::vector<ir::Node*> nodes;
  ir::ValueId input = 0;
  ir::ValueId output = 0;
};

/// The unit of one layer.
SweepUnit unit_of(ir::Node& layer);

/// What a technique is shown of the calibration set at one unit. The sweep cuts what `next_batch`
/// gave into batches of few images, of its own choosing.
class SweepStop {
 public:
  virtual ~SweepStop() = default;
  virtual const SweepUnit& unit() const = 0;
  virtual int64_t batches() const = 0;
  /// Which of the batches that `next_batch` gave this one was cut from, from 0; they do not
  /// decrease.
  virtual int64_t source(int64_t batch) const = 0;
  /// How many images it has.
  virtual int64_t images(int64_t batch) const = 0;
  /// The unit's input in a stream, float32, batch by batch: [N, ...] wherever the graph keeps
  /// images in the first dimension; in memory row-major or with channels innermost, as it was made.
  virtual at::Tensor input(int stream, int64_t batch) const = 0;
  /// The unit's output, likewise, in a stream of kOriginal weights only (InternalError in
  /// another).
  virtual at::Tensor output(int stream, int64_t batch) const = 0;
};

struct SweepOptions {
  std::vector<Stream> streams;
  int threads = 1;
  /// Bytes of activations held in memory between steps; more is written to a temporary file without
  /// a name, in $TMPDIR or /tmp. Results do not depend on it.
  int64_t memory_bytes = int64_t{4} << 30;
  /// By node: what kOriginal means for a layer that an earlier pass changed. Others have the weight
  /// they had when the sweep began.
  std::unordered_map<std::string, at::Tensor> original_weights = {};
};

/// Stops at each unit, in execution order, and lets `treat` change the weights and biases of its
/// nodes. Streams go on with what it left. Units do not overlap. `next_batch` gives images
/// [N, 3, H, W]; sizes may differ. `treat` runs with as many intra-op threads as the sweep may use.
/// Throws InternalError naming a node if a unit reads or makes more than it says, DataError if
/// there was no batch, OutputError if the temporary file cannot be written.
void sweep(QuantizedNetwork& network, const SweepOptions& options, std::vector<SweepUnit> units,
           const std::function<std::optional<at::Tensor>()>& next_batch,
           const std::function<void(const SweepStop&)>& treat);

}  // namespace ptq::runtime
