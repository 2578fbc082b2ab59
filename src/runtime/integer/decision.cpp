#include "runtime/integer/decision.h"

#include <algorithm>

#include "ir/padding.h"
#include "quant/layer_quantizers.h"
#include "runtime/plan/fusion.h"

namespace ptq::runtime::integer {
namespace {

using Format = std::optional<quant::ByteFormat>;

bool is_view(const ir::Node& node) {
  return node.is<ir::Reshape>() || node.is<ir::Permute>() || node.is<ir::Expand>() ||
         node.is<ir::Select>() || node.is<ir::Slice>();
}

/// Why a value that a layer reads is no codes.
std::string why_not_codes(const ir::Index& index, ir::ValueId value,
                          const quant::QuantizerTable& table, const std::string& whose) {
  const ir::QuantizerId id = quant::value_quantizer(index, value);
  if (id == ir::kNoQuantizer) return whose + " is not quantized";
  const quant::Quantizer& quantizer = table.at(id);
  if (quantizer.integer() == nullptr) return whose + " is minifloats";
  if (quantizer.integer()->bit_width > 8) return whose + " has more than 8 bits";
  if (quantizer.timing == quant::Timing::kDynamic) {
    return whose + " takes its scale from every image";
  }
  if (quantizer.granularity != quant::Granularity::kPerTensor) {
    return whose + " has more than one scale";
  }
  if (quantizer.truncation) return whose + " has codes that are rounded twice";
  return whose + " joins codes of different scales";
}

class Decider {
 public:
  Decider(PlanGraph& plan, const std::unordered_set<ir::ValueId>& kept)
      : plan_(plan), index_(plan.graph), kept_(kept), formats_(plan.graph.values.size()) {}

  Decision run() {
    for (const ir::Node& node : plan_.graph.nodes) {
      if (node.outputs.size() == 1) formats_[at(node.output())] = format_after(node);
      decide(node);
    }
    find_wanted();
    decision_.codes.resize(formats_.size());
    for (const ir::Node& node : plan_.graph.nodes) {
      if (node.is<ir::FakeQuantize>() && wanted_.count(node.output()) != 0) {
        decision_.codes[at(node.output())] = formats_[at(node.output())];
      }
    }
    return std::move(decision_);
  }

 private:
  static size_t at(ir::ValueId value) { return static_cast<size_t>(value); }
  const Format& format(ir::ValueId value) const { return formats_[at(value)]; }

  /// The codes that a node's output may lie as.
  Format format_after(const ir::Node& node) const {
    if (kept_.count(node.output()) != 0) return std::nullopt;
    if (const auto* fake = node.as<ir::FakeQuantize>()) {
      return quant::byte_format(plan_.table, fake->quantizer);
    }
    if (moves_codes(node)) return format(node.inputs[0]);
    if (node.is<ir::Concat>()) return common_format(node.inputs);
    return std::nullopt;
  }

  /// Zeros are codes of every quantizer (ir/padding.h).
  bool moves_codes(const ir::Node& node) const {
    return is_view(node) || is_image_pool(node) || ir::zero_padding(node.op).has_value();
  }

  bool is_image_pool(const ir::Node& node) const {
    return node.is<ir::MaxPool>() && plan_.graph.values[at(node.inputs[0])].shape.size() == 4;
  }

  Format common_format(const std::vector<ir::ValueId>& values) const {
    const Format& first = format(values.front());
    const bool same = std::all_of(values.begin(), values.end(),
                                  [&](ir::ValueId value) { return format(value) == first; });
    return same ? first : std::nullopt;
  }

  void decide(const ir::Node& node) {
    if (ir::weighted(node.op) == nullptr && !node.is<ir::MatMul>()) return;
    std::string reason = reason_of_values(node);
    if (reason.empty() && ir::weighted(node.op) != nullptr) reason = reason_of_layer(node);
    decision_.report.push_back({node.name, reason.empty(), reason});
  }

  std::string reason_of_values(const ir::Node& node) const {
    if (!node.is<ir::MatMul>()) {
      return format(node.inputs[0]) ? "" : why_not(node.inputs[0], "its input");
    }
    for (const ir::ValueId value : node.inputs) {
      if (!format(value)) return why_not(value, "a factor");
      if (plan_.graph.values[at(value)].shape.size() < 2) return "a factor is no matrix";
    }
    const int64_t terms = plan_.graph.values[at(node.inputs[0])].shape.back().value;
    const bool fits =
        quant::fits_accumulator(terms, *format(node.inputs[0]), *format(node.inputs[1]));
    return fits ? "" : "its sums do not fit 32 bits";
  }

  std::string why_not(ir::ValueId value, const std::string& whose) const {
    return why_not_codes(index_, value, plan_.table, whose);
  }

  std::string reason_of_layer(const ir::Node& node) {
    if (!node.is<ir::Linear>() && ir::weighted(node.op)->weight.value.dim() > 4) {
      return "it runs over three dimensions";
    }
    auto layer = quant::integer_layer(index_, node, plan_.table, *format(node.inputs[0]));
    if (const auto* reason = std::get_if<std::string>(&layer)) return *reason;
    decision_.layers.emplace(&node, std::move(std::get<quant::IntegerLayer>(layer)));
    return "";
  }

  /// Backwards: values with a reader that reads codes.
  void find_wanted() {
    for (auto node = plan_.graph.nodes.rbegin(); node != plan_.graph.nodes.rend(); ++node) {
      if (!reads_codes(*node)) continue;
      for (const ir::ValueId value : node->inputs) wanted_.insert(value);
    }
  }

  bool reads_codes(const ir::Node& node) const {
    if (ir::weighted(node.op) != nullptr) return decision_.layers.count(&node) != 0;
    if (node.is<ir::MatMul>()) {
      return format(node.inputs[0]).has_value() && format(node.inputs[1]).has_value();
    }
    if (moves_codes(node) || node.is<ir::Concat>()) {
      return wanted_.count(node.output()) != 0 && format(node.output()).has_value();
    }
    return node.is<ir::AvgPool>() || node.is<ir::AdaptiveAvgPool>() || node.is<ir::Mean>() ||
           is_elementwise(node, plan_.table);
  }

  const PlanGraph& plan_;
  ir::Index index_;
  const std::unordered_set<ir::ValueId>& kept_;
  std::vector<Format> formats_;
  std::unordered_set<ir::ValueId> wanted_;
  Decision decision_;
};

}  // namespace

Decision decide(PlanGraph& plan, const std::unordered_set<ir::ValueId>& kept) {
  return Decider(plan, kept).run();
}

}  // namespace ptq::runtime::integer

namespace ptq::runtime {

std::vector<LayerArithmetic> layer_arithmetic(NetworkView network) {
  PlanGraph plan = prepare_plan_graph(network, {});
  return integer::decide(plan, {}).report;
}

}  // namespace ptq::runtime
