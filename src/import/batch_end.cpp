#include "import/batch_end.h"

#include <c10/util/accumulate.h>

#include <algorithm>

#include "import/messages.h"
#include "import/reconcile.h"
#include "ptq/base/error.h"

namespace ptq::import {
namespace {

ir::Ints extents(const ir::Graph& graph, ir::ValueId value) {
  return ir::at_batch(graph.values[static_cast<size_t>(value)].shape, 1);
}

/// Whether a value has the same number of elements for every image.
bool grows(const ir::Graph& first, const ir::Graph& second, ir::ValueId value) {
  const int64_t few = c10::multiply_integers(extents(first, value));
  const int64_t more = c10::multiply_integers(extents(second, value));
  return few * kSecondBatch == more * kFirstBatch;
}

bool takes_apart(const ir::Graph& first, const ir::Graph& second, const ir::Node& node) {
  const bool of_images =
      std::any_of(node.inputs.begin(), node.inputs.end(),
                  [&](ir::ValueId input) { return grows(first, second, input); });
  return of_images && !grows(first, second, node.output());
}

}  // namespace

void check_batch_stays_whole(const ir::Graph& first, const ir::Graph& second) {
  auto other = second.nodes.begin();
  for (const ir::Node& node : first.nodes) {
    if (other == second.nodes.end() || other->op.index() != node.op.index() ||
        other->inputs != node.inputs) {
      return;
    }
    ++other;
    if (!takes_apart(first, second, node)) continue;
    throw ImportError(node_text(node) + " takes the images of a batch apart (" +
                      shape_text(extents(first, node.output())) + " of " +
                      std::to_string(kFirstBatch) + " images, " +
                      shape_text(extents(second, node.output())) + " of " +
                      std::to_string(kSecondBatch) +
                      "), which a graph for any number of images cannot follow; the network must "
                      "run all images of a batch together");
  }
}

}  // namespace ptq::import
