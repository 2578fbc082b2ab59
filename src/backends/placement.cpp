#include "ptq/backends/placement.h"

#include "backends/fx.h"
#include "backends/layerwise.h"
#include "backends/overrides.h"
#include "ptq/base/error.h"

namespace ptq::backends {
namespace {

quant::QuantizerTable place_uniformly(Backend backend, ir::Graph& graph,
                                      const PlacementOptions& options) {
  switch (backend) {
    case Backend::kFx:
    case Backend::kFlexml:
      return place_fx(graph, options);
    case Backend::kLayerwise:
      return place_layerwise(graph, options);
  }
  throw InternalError("unknown backend");
}

}  // namespace

quant::QuantizerTable place(Backend backend, ir::Graph& graph, const PlacementOptions& options) {
  quant::QuantizerTable table = place_uniformly(backend, graph, options);
  apply_overrides(graph, table, options);
  return table;
}

}  // namespace ptq::backends
