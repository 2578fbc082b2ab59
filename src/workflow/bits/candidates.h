#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <vector>

#include "passes/bits/bit_groups.h"
#include "ptq/bits.h"
#include "ptq/quant/quantized_network.h"
#include "runtime/quantizer_variants.h"
#include "workflow/quantization.h"

namespace ptq::workflow {

/// A group, and the candidate widths that all its quantizers can have, ascending.
struct CandidateGroup {
  passes::BitGroup group;
  std::vector<int> bits;
};

/// A network that is placed and calibrated at every candidate width.
struct BitCandidates {
  /// As configured, with float weights.
  QuantizedNetwork network;
  /// Those with a width to choose.
  std::vector<CandidateGroup> groups;
  /// By width: the table in which all weights, or all activations, have it.
  std::map<int, std::shared_ptr<const quant::QuantizerTable>> weights, activations;

  runtime::QuantizerVariant variant(size_t group, int bits) const;
};

/// Scales of all widths come from the same passes over the images. `config` without its
/// `layer_bits`. Throws InvalidOption where there is nothing to choose.
BitCandidates bit_candidates(const ir::Graph& imported, const QuantizeConfig& config,
                             const CandidateBits& candidates, const data::ImageSet& images,
                             const Context& context);

}  // namespace ptq::workflow
