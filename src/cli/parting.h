#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "ptq/cli/exports.h"
#include "ptq/export/export.h"
#include "ptq/ir/graph.h"
#include "ptq/quant/quantizer.h"

namespace ptq::cli {

/// A network as the run computes it: by the optimised plan or node by node.
struct Streams {
  const ir::Graph& graph;
  const quant::QuantizerTable& table;
  bool compile;
};

/// Where the codes of the network and of an exported model part, for one image [1, 3, H, W] on the
/// CPU. A file that does not name its values is taken for the network run node by node, if that
/// gives the very logits of the file. Nothing if no codes differ or nothing can be compared.
std::optional<Parting> first_parting(const Streams& streams, exporting::ExportedModel& model,
                                     const at::Tensor& image);

}  // namespace ptq::cli
