#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "import/call.h"
#include "import/recorder.h"

/// How operator calls become typed nodes. A lowering appends nodes and returns one value for each
/// tensor result; it returns nothing, and appends nothing, where the call is not what it knows.
namespace ptq::import {

using Lowered = std::vector<ir::ValueId>;
using Lowering = Lowered (*)(const Call&, Recorder&);
using LoweringTable = std::unordered_map<std::string, Lowering>;

void add_layer_lowerings(LoweringTable& table);
void add_pooling_lowerings(LoweringTable& table);
void add_elementwise_lowerings(LoweringTable& table);
void add_shape_lowerings(LoweringTable& table);
void add_attention_lowerings(LoweringTable& table);
void add_einsum_lowerings(LoweringTable& table);
void add_recurrent_lowerings(LoweringTable& table);

/// The fallback: one Opaque node a result. Throws ImportError for what no node can hold.
Lowered lower_opaque(const Call& call, Recorder& recorder);

/// Appends `op` on the values of `inputs`, with the shape of `result`, named after the call.
ir::ValueId append_for(const Call& call, Recorder& recorder, ir::Op op,
                       const std::vector<at::Tensor>& inputs, const at::Tensor& result);

/// The usual case: one input, one result.
Lowered lower_to(const Call& call, Recorder& recorder, ir::Op op, const at::Tensor& input);

/// A dimension counted from the front.
int64_t from_front(int64_t dim, int64_t rank);

}  // namespace ptq::import
