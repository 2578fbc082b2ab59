#include "backends/fx_rules.h"

#include <ATen/ops/ge.h>

#include <algorithm>
#include <optional>

#include "ir/domains.h"
#include "ir/facts.h"
#include "ir/padding.h"

namespace ptq::backends::fx {
namespace {

bool keeps_sign(const ir::Node& node) {
  return node.is<ir::MaxPool>() || node.is<ir::AvgPool>() || node.is<ir::AdaptiveAvgPool>() ||
         node.is<ir::Reshape>() || node.is<ir::Permute>() || node.is<ir::Slice>() ||
         node.is<ir::Select>() || node.is<ir::Concat>() || node.is<ir::Add>() ||
         ir::zero_padding(node.op);
}

/// Quantizers above a node, or the knowledge that something is not quantized.
struct Sources {
  std::vector<ir::QuantizerId> distinct;
  bool all_quantized = true;
};

bool same(const State& state, ir::QuantizerId a, ir::QuantizerId b, Alignment alignment) {
  if (alignment == Alignment::kQuantizer) return a == b;
  return state.table.at(a).scale == state.table.at(b).scale;
}

void collect(const State& state, const ir::Index& index, const ir::Node& node, Alignment alignment,
             Sources& sources);

void collect_producer(const State& state, const ir::Index& index, const ir::Node& node,
                      const ir::Node& producer, Alignment alignment, Sources& sources) {
  if (const auto* fake = producer.as<ir::FakeQuantize>()) {
    const bool known = std::any_of(
        sources.distinct.begin(), sources.distinct.end(),
        [&](ir::QuantizerId id) { return same(state, id, fake->quantizer, alignment); });
    if (!known) sources.distinct.push_back(fake->quantizer);
  } else if (state.attentions.region_of(producer) != state.attentions.region_of(node)) {
    sources.all_quantized = false;
  } else if (producer.is<ir::Concat>()) {
    collect(state, index, producer, Alignment::kQuantizer, sources);
  } else if (is_released(state, index, producer)) {
    sources.all_quantized = false;
  } else if (is_quantized_add(state, index, producer)) {
    collect(state, index, producer, Alignment::kScale, sources);
  } else if (passes_alignment(producer) || producer.is<ir::Permute>()) {
    collect(state, index, producer, alignment, sources);
  } else if (!producer.is<ir::Constant>()) {
    sources.all_quantized = false;
  }
}

void collect(const State& state, const ir::Index& index, const ir::Node& node, Alignment alignment,
             Sources& sources) {
  for (ir::ValueId input : node.inputs) {
    const ir::Node* producer = index.producer(input);
    if (producer != nullptr) {
      collect_producer(state, index, node, *producer, alignment, sources);
    }
  }
}

Sources sources_of(const State& state, const ir::Index& index, const ir::Node& node,
                   Alignment alignment) {
  Sources sources;
  collect(state, index, node, alignment, sources);
  return sources;
}

/// An input that may not be rounded for it has no scale to share.
bool reads_exact_values(const ir::Index& index, const ir::Node& node) {
  return std::any_of(node.inputs.begin(), node.inputs.end(), [&](ir::ValueId input) {
    return ir::breaks_when_rounded(index, node, input);
  });
}

}  // namespace

bool is_quantized_activation(const ir::Node& node) {
  return node.is<ir::Relu>() || node.is<ir::Relu6>() || node.is<ir::Sigmoid>();
}

bool is_add(const ir::Node& node) { return node.is<ir::Add>() || node.is<ir::AddScalar>(); }

bool is_quantized_add(const State& state, const ir::Index& index, const ir::Node& node) {
  return is_add(node) && !state.is_masked(node.output()) &&
         is_read_quantized(index, node.output()) && !reads_exact_values(index, node);
}

bool is_quantized_concat(const State& state, const ir::Index& index, const ir::Node& node) {
  return node.is<ir::Concat>() && !state.is_masked(node.output()) &&
         !reads_exact_values(index, node);
}

bool is_released(const State& state, const ir::Index& index, const ir::Node& node) {
  return state.options.residual_adds != ResidualAdds::kQuantized && node.is<ir::Add>() &&
         state.attentions.region_of(node) == AttentionMap::kOutside &&
         std::none_of(node.inputs.begin(), node.inputs.end(),
                      [&](ir::ValueId value) { return ir::is_constant(index, value); });
}

bool passes_alignment(const ir::Node& node) {
  return node.is<ir::MaxPool>() || node.is<ir::Reshape>() || node.is<ir::Slice>() ||
         node.is<ir::Select>() || ir::zero_padding(node.op);
}

bool is_value_unsigned(const State& state, const ir::Index& index, ir::ValueId value) {
  const ir::Node* producer = index.producer(value);
  if (producer == nullptr) return false;
  if (const auto* fake = producer->as<ir::FakeQuantize>()) {
    const quant::Quantizer& quantizer = state.table.at(fake->quantizer);
    return quantizer.symmetry == quant::Symmetry::kSymmetric && !quant::is_signed(quantizer.format);
  }
  if (const auto* constant = producer->as<ir::Constant>()) {
    return constant->value.value.ge(0).all().item<bool>();
  }
  const auto* shift = producer->as<ir::AddScalar>();
  if (shift != nullptr && shift->value < 0) return false;
  return (keeps_sign(*producer) || shift != nullptr) &&
         are_inputs_unsigned(state, index, *producer);
}

bool are_inputs_unsigned(const State& state, const ir::Index& index, const ir::Node& node) {
  return std::all_of(node.inputs.begin(), node.inputs.end(),
                     [&](ir::ValueId input) { return is_value_unsigned(state, index, input); });
}

bool are_inputs_quantized(const State& state, const ir::Index& index, const ir::Node& node) {
  return sources_of(state, index, node, Alignment::kScale).all_quantized;
}

bool are_inputs_aligned(const State& state, const ir::Index& index, const ir::Node& node,
                        Alignment alignment) {
  const Sources sources = sources_of(state, index, node, alignment);
  return sources.all_quantized && sources.distinct.size() <= 1;
}

void requantize_output(State& state, ir::Node& node, Sign sign) {
  if (state.is_masked(node.output())) return;
  const ir::Index index(state.graph);
  bool needed = index.is_graph_output(node.output());
  std::vector<ir::Node*> batch_norms;
  for (ir::Node* user : index.users(node.output())) {
    if (user->is<ir::BatchNorm>()) {
      batch_norms.push_back(user);
    } else if (!is_quantized_activation(*user) && !user->is<ir::FakeQuantize>() &&
               !is_released(state, index, *user) &&
               !ir::breaks_when_rounded(index, *user, node.output())) {
      needed = true;
    }
  }
  if (needed) {
    const int64_t axis = channel_axis(state, node.output());
    quantize_value(state.graph, node.output(),
                   add_activation_quantizer(state, {node.name, sign, axis}));
  }
  for (ir::Node* batch_norm : batch_norms) requantize_output(state, *batch_norm, sign);
}

}  // namespace ptq::backends::fx
