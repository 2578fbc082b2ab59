#include "ptq/backends/placement.h"

#include <utility>

#include "backends/fx.h"
#include "backends/layerwise.h"
#include "backends/overrides.h"
#include "ptq/base/error.h"

namespace ptq::backends {
namespace {

QuantizedNetwork place_uniformly(Backend backend, ir::Graph graph,
                                 const PlacementOptions& options) {
  switch (backend) {
    case Backend::kFx:
    case Backend::kFlexml:
      return place_fx(std::move(graph), options);
    case Backend::kLayerwise:
      return place_layerwise(std::move(graph), options);
  }
  throw InternalError("unknown backend");
}

}  // namespace

QuantizedNetwork place(Backend backend, ir::Graph graph, const PlacementOptions& options) {
  QuantizedNetwork network = place_uniformly(backend, std::move(graph), options);
  apply_overrides(network, options);
  return network;
}

}  // namespace ptq::backends
