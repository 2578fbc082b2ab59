#include <algorithm>

#include "backends/fx_rules.h"

/// Residual adds that are wide or float: for sum = add(conv, relu) that a layer norm and a
/// convolution read,
///
///   wide    sum = add(conv + Q16, relu + Q16), the layer norm reads sum + Q16
///   float   sum = add(conv, relu), the layer norm reads sum
///
/// and the convolution reads sum + Q8, which quantize_around gave it. What else reads the relu goes
/// on reading its Q8.
namespace ptq::backends::fx {
namespace {

constexpr int kWideBits = 16;
/// Room above the percentile that calibration finds: what is seldom is large here, and clipping it
/// costs more than two of so many bits.
constexpr double kHeadroom = 4;

/// What `value` is a fake quantization of.
ir::ValueId unquantized(const ir::Index& index, ir::ValueId value) {
  const ir::Node* producer = index.producer(value);
  if (producer == nullptr || !producer->is<ir::FakeQuantize>()) return value;
  return unquantized(index, producer->inputs[0]);
}

std::vector<ir::Node*> released_adds(State& state) {
  const ir::Index index(state.graph);
  std::vector<ir::Node*> adds;
  for (ir::Node& node : state.graph.nodes) {
    if (is_released(state, index, node)) adds.push_back(&node);
  }
  return adds;
}

ir::QuantizerId wide_quantizer(State& state, const std::string& name) {
  ActivationOptions options = *state.options.activations;
  options.format = quant::IntegerFormat{kWideBits, true, false};
  options.symmetry = quant::Symmetry::kSymmetric;  // headroom on both sides
  options.calibration = quant::Calibration::kStatistics;
  const ir::QuantizerId id = add_activation_quantizer(state, options, {name, Sign::kSigned});
  state.table.scale_of(id).threshold_divisor /= kHeadroom;
  return id;
}

/// Reads the sum as it is: an activation's own quantizer, or one of a layer's input, comes next.
bool reads_narrow(const ir::Node& node) {
  return node.is<ir::FakeQuantize>() || is_quantized_activation(node) || node.is<ir::BatchNorm>();
}

/// Has `readers` read the wide form of `value`.
void widen(State& state, ir::ValueId value, const std::vector<ir::Node*>& readers) {
  const ir::Index index(state.graph);
  const ir::Node* producer = index.producer(value);
  const std::string name = producer == nullptr ? "input" : producer->name;
  const auto where =
      producer == nullptr ? state.graph.nodes.begin() : std::next(index.position(*producer));
  ir::Node node{name + ".quant",
                producer == nullptr ? "" : producer->module,
                ir::FakeQuantize{wide_quantizer(state, name)},
                {value},
                {}};
  const ir::ValueId wide =
      state.graph
          .insert(where, std::move(node), state.graph.values[static_cast<size_t>(value)].shape)
          .output();
  for (ir::Node* reader : readers) {
    std::replace(reader->inputs.begin(), reader->inputs.end(), value, wide);
  }
  if (index.is_graph_output(value)) state.graph.output = wide;
}

void widen_operand(State& state, ir::ValueId value) {
  const ir::Index index(state.graph);
  std::vector<ir::Node*> readers;
  for (ir::Node* user : index.users(value)) {
    if (is_released(state, index, *user)) readers.push_back(user);
  }
  if (!readers.empty()) widen(state, value, readers);
}

void widen_sum(State& state, ir::ValueId value) {
  const ir::Index index(state.graph);
  std::vector<ir::Node*> readers;
  for (ir::Node* user : index.users(value)) {
    if (!reads_narrow(*user)) readers.push_back(user);
  }
  if (!readers.empty() || index.is_graph_output(value)) widen(state, value, readers);
}

}  // namespace

void release_adds(State& state) {
  const std::vector<ir::Node*> adds = released_adds(state);
  {
    const ir::Index index(state.graph);
    for (ir::Node* add : adds) {
      for (ir::ValueId& input : add->inputs) input = unquantized(index, input);
    }
  }
  ir::remove_dead_nodes(state.graph);
  if (state.options.residual_adds != ResidualAdds::kWide) return;
  for (const ir::Node* add : adds) widen_sum(state, add->output());
  for (const ir::Node* add : adds) {
    const ir::Index index(state.graph);
    for (const ir::ValueId input : std::vector<ir::ValueId>(add->inputs)) {
      const ir::Node* producer = index.producer(input);
      const bool is_wide = producer != nullptr && producer->is<ir::FakeQuantize>();
      if (!is_wide) widen_operand(state, input);
    }
  }
}

}  // namespace ptq::backends::fx
