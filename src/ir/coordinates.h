#pragma once

#include <vector>

#include "ptq/ir/graph.h"

namespace ptq::ir {

/// Whether `value` says where something is read, by `user` or by what follows it without a layer in
/// between: the grid of grid_sample, the integers that gather and indices read at, and the angles,
/// offsets and floats that they are computed from. A place is no activation: one step of a scale of
/// 8 bits that covers 200 pixels is most of a pixel, and rounding moves all that is read there.
bool are_coordinates(const Index& index, const Node& user, ValueId value);

/// The nodes that read at places which are computed from the images.
std::vector<const Node*> readers_of_places(const Index& index, const Graph& graph);

}  // namespace ptq::ir
