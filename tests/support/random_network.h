#pragma once

#include "ptq/ir/graph.h"

namespace ptq::testing {

/// A small classifier of images [N, 3, 8, 8], of random structure and weights, the same for the
/// same seed: up to six blocks (chains, residual additions, branches and concats, nested and dense
/// ones, shared inputs and modules, depthwise, grouped and transposed convolutions, gates, channel
/// shuffles, pools) with or without batch norms, with activations that pass positive factors
/// through and others, and a head (pooled, flattened, an MLP, or tokens with attention and layer
/// norms).
///
/// Every layer has output channels of quite different ranges (factors from 1/8 to 8), and about the
/// same range in all: signals neither die out nor explode. Each parameter has a name of its own.
ir::Graph random_network(unsigned seed);

}  // namespace ptq::testing
