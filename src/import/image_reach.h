#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <map>
#include <vector>

#include "import/reconcile.h"
#include "ptq/ir/graph.h"

/// Which elements of a graph's values may depend on which image, whatever the pixels are.
namespace ptq::import {

/// Values of a walk on kFirstBatch images that are no floats: places, decisions, counts.
using Places = std::map<ir::ValueId, at::Tensor>;

/// One mask an image: where a value may depend on it.
using Reach = std::array<at::Tensor, kFirstBatch>;

/// Whether anything of an image is in a value.
bool is_reached(const Reach& reach);

/// The reach of every value of `graph`, by the rule of each operation; undefined masks where
/// nothing of the images is in a value.
std::vector<Reach> reach_of(const ir::Graph& graph, const Places& places);

}  // namespace ptq::import
