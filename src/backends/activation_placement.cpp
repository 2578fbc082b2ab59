#include "backends/activation_placement.h"

#include "ir/channel_axis.h"
#include "ir/domains.h"

namespace ptq::backends {
namespace {

std::string producer_name(const ir::Graph& graph, const ir::Index& index, ir::ValueId value) {
  const ir::Node* producer = index.producer(value);
  return producer == nullptr ? graph.values[static_cast<size_t>(value)].name : producer->name;
}

std::vector<const ir::Node*> readers_of_exact_values(const ir::Index& index, ir::ValueId value) {
  std::vector<const ir::Node*> readers;
  for (const ir::Node* user : index.users(value)) {
    if (ir::breaks_when_rounded(index, *user, value)) readers.push_back(user);
  }
  return readers;
}

quant::NumberFormat format_at(const ActivationOptions& options, Sign sign) {
  quant::NumberFormat format = options.format;
  if (auto* integer = std::get_if<quant::IntegerFormat>(&format)) {
    const bool is_unsigned = sign == Sign::kUnsigned && options.unsigned_values;
    integer->is_signed = options.symmetry == quant::Symmetry::kSymmetric && !is_unsigned;
  }
  return format;
}

}  // namespace

ir::QuantizerId add_activation_quantizer(Draft& draft, const ActivationOptions& options,
                                         const ActivationSite& site) {
  quant::Quantizer quantizer;
  quantizer.kind = quant::QuantizerKind::kActivation;
  quantizer.layer = site.layer;
  quantizer.format = format_at(options, site.sign);
  quantizer.symmetry = options.symmetry;
  quantizer.granularity = options.granularity;
  quantizer.scale_type = options.scale_type;
  quantizer.calibration = options.calibration;
  quantizer.timing = options.timing;
  if (options.granularity == quant::Granularity::kPerGroup) quantizer.axis = site.group_axis;
  quantizer.group_size = draft.options.group_size;
  return draft.table.add(std::move(quantizer));
}

ir::QuantizerId add_activation_quantizer(Draft& draft, const ActivationSite& site) {
  return add_activation_quantizer(draft, *draft.options.activations, site);
}

bool can_share_scales(const ActivationOptions& options) {
  return options.timing == quant::Timing::kStatic &&
         options.granularity == quant::Granularity::kPerTensor;
}

int64_t summed_axis(const ir::Node& layer) { return layer.is<ir::Linear>() ? -1 : 1; }

int64_t channel_axis(Draft& draft, ir::ValueId value) {
  // Nothing else asks, and an index of a large graph takes time.
  if (draft.options.activations->granularity != quant::Granularity::kPerGroup) return 1;
  return ir::channel_axis(draft.graph, ir::Index(draft.graph), value);
}

bool is_read_quantized(const ir::Index& index, ir::ValueId value) {
  return index.is_graph_output(value) ||
         readers_of_exact_values(index, value).size() < index.users(value).size();
}

ir::Node& quantize_value(ir::Graph& graph, ir::ValueId value, ir::QuantizerId quantizer) {
  const ir::Index index(graph);
  const ir::Node* producer = index.producer(value);
  const auto where =
      producer == nullptr ? graph.nodes.begin() : std::next(index.position(*producer));
  ir::Node node{producer_name(graph, index, value) + ".quant",
                producer == nullptr ? "" : producer->module,
                ir::FakeQuantize{quantizer},
                {value},
                {}};
  ir::Node& fake =
      graph.insert(where, std::move(node), graph.values[static_cast<size_t>(value)].shape);
  std::vector<const ir::Node*> others = readers_of_exact_values(index, value);
  others.push_back(&fake);
  graph.replace_uses(value, fake.output(), others);
  return fake;
}

ir::Node& quantize_edge(ir::Graph& graph, ir::Node& user, size_t input, ir::QuantizerId quantizer) {
  const ir::Index index(graph);
  const ir::ValueId value = user.inputs[input];
  ir::Node node{producer_name(graph, index, value) + ".quant",
                user.module,
                ir::FakeQuantize{quantizer},
                {value},
                {}};
  ir::Node& fake = graph.insert(index.position(user), std::move(node),
                                graph.values[static_cast<size_t>(value)].shape);
  user.inputs[input] = fake.output();
  return fake;
}

void quantize_operands(Draft& draft, const Attention& attention) {
  ActivationOptions options = *draft.options.activations;
  options.symmetry = quant::Symmetry::kSymmetric;
  for (const AttentionOperand& operand : kAttentionOperands) {
    ir::Node& product = *(attention.*operand.product);
    quantize_edge(draft.graph, product, operand.input,
                  add_activation_quantizer(draft, options,
                                           {product.name, operand.sign, operand.summed_axis}));
  }
}

}  // namespace ptq::backends
