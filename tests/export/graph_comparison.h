#pragma once

#include "export/exported_network.h"

namespace ptq::exporting::testing {

/// How an exported file and the graph it was written from differ where both compute a node from the
/// very same inputs, those of the file.
struct GraphComparison {
  int nodes = 0;
  /// Largest difference of a node's output, as a part of its largest number, and where.
  double largest_difference = 0;
  std::string at;
};

/// For formats whose values have the names of the graph's.
GraphComparison compare_with_graph(const Quantized& network, ExportedModel& exported,
                                   const at::Tensor& images);

}  // namespace ptq::exporting::testing
