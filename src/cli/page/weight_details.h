#pragma once

#include "cli/details.h"
#include "ptq/ir/graph.h"
#include "ptq/quant/quantizer.h"

namespace ptq::cli {

/// Of every layer with a weight quantizer, in order of execution.
std::vector<WeightDetail> weight_details(const ir::Graph& graph,
                                         const quant::QuantizerTable& table);

/// Of every activation quantizer, in order of execution.
std::vector<ActivationDetail> activation_details(const ir::Graph& graph,
                                                 const quant::QuantizerTable& table);

}  // namespace ptq::cli
