#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "ptq/quant/quantized_network.h"

/// Many networks that differ from one, the base, in few quantizers, on the same images. Each runs
/// only from the layer at which it begins to differ: the base walks through the graph once, layer
/// by layer, and at each layer the networks that begin there go on from its activations.
namespace ptq::runtime {

/// Which quantizers of a network are on, by id, and what they are. A bias is quantized where its
/// weight and its input are.
struct QuantizerStates {
  quant::QuantizerTable table;
  std::vector<bool> on;
};

/// All on, or all off.
QuantizerStates all_quantizers(quant::QuantizerTable table, bool on);

/// The base with these quantizers on, and as they are in another table of the same network. Those
/// that share a scale come together.
struct QuantizerVariant {
  std::vector<ir::QuantizerId> quantizers;
  std::shared_ptr<const quant::QuantizerTable> from;
};

/// The base's states, changed by the variant.
QuantizerStates changed_states(QuantizerStates base, const QuantizerVariant& variant);

struct VariantOptions {
  int threads = 1;
  /// Bytes of the base's activations held in memory; more is in a temporary file (layer_sweep.h).
  int64_t memory_bytes = int64_t{4} << 30;
};

/// Logits [n, classes] float32 of images first_image, ..., first_image + n - 1 in a variant. Calls
/// come from several threads, one after the other, in no order.
using OnVariantLogits =
    std::function<void(size_t variant, int64_t first_image, const at::Tensor& logits)>;

/// Runs all variants on all images that `next_batch` gives, [N, 3, H, W] float32. One without
/// quantizers is the base. Logits depend neither on the threads nor on the other variants. Throws
/// DataError if there was no batch, OutputError if the temporary file cannot be written.
void run_variants(const ir::Graph& graph, const QuantizerStates& base,
                  const std::vector<QuantizerVariant>& variants, const VariantOptions& options,
                  const std::function<std::optional<at::Tensor>()>& next_batch,
                  const OnVariantLogits& on_logits);

/// By node of the graph, in order: the stretch it belongs to. A stretch begins at each layer with
/// weights, and a variant is run from the beginning of the one with its first quantizer.
std::vector<size_t> stretches_of(const ir::Graph& graph);

/// By variant: the stretch that it is run from.
std::vector<size_t> first_stretches(const ir::Graph& graph,
                                    const std::vector<QuantizerVariant>& variants);

}  // namespace ptq::runtime
