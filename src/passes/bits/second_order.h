#pragma once

#include <cstdint>
#include <vector>

#include "ptq/ir/graph.h"
#include "ptq/passes/calibrate.h"
#include "ptq/runtime/execution.h"
#include "runtime/quantizer_variants.h"

namespace ptq::passes {

/// What each variant of the float network (all other quantizers off) loses, by a second-order
/// estimate: the Kullback-Leibler divergence of its softmax from the float one, to the second order
/// in the change of the logits dz, is 1/2 dzᵀ (diag(p) - p pᵀ) dz. With v = s - p (√p·r), where
/// s = √p r and the r are random signs, the mean of v vᵀ is that matrix; so
///
///   estimate = 1/2 mean over images of (g · d)²
///
/// with d what the quantizers change of their weights or activations and g the gradient of v·z by
/// these: one pass forward and one backward an image, for all variants together. Images come as
/// [N, 3, H, W] float32; each runs on one core, several at the same time as far as
/// `execution.activation_memory` allows. The signs follow from `seed`, and the number of threads
/// changes no bit. Throws DataError if there was no image.
std::vector<double> second_order_losses(const ir::Graph& graph,
                                        const std::vector<runtime::QuantizerVariant>& variants,
                                        uint64_t seed, const runtime::Execution& execution,
                                        const NextBatch& next_batch);

}  // namespace ptq::passes
