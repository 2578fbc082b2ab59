#include "runtime/plan/compile.h"

#include <ATen/ExpandUtils.h>

#include <algorithm>

#include "ptq/base/error.h"
#include "runtime/plan/fusion.h"
#include "runtime/plan/memory.h"
#include "runtime/steps/tail_from_node.h"

namespace ptq::runtime {
namespace {

class Compiler {
 public:
  Compiler(PlanGraph plan, const quant::QuantizerTable& table, Numerics numerics,
           int64_t micro_batch)
      : plan_(std::move(plan)), index_(plan_.graph), table_(table), numerics_(numerics) {
    program_.micro_batch = micro_batch;
  }

  Program whole_network() {
    add_values();
    add_images();
    emit_all(plan_.observed_values());
    program_.inputs = {plan_.graph.input};
    program_.outputs = {output_rows()};
    assign_memory(program_);
    return std::move(program_);
  }

  Program part(const PartValues& values) {
    add_values();
    for (const auto& [value, layout] : values.inputs) {
      slot(value).layout = layout;
      program_.inputs.push_back(value);
    }
    std::sort(program_.inputs.begin(), program_.inputs.end());
    emit_all({values.outputs.begin(), values.outputs.end()});
    program_.outputs = values.outputs;
    assign_memory(program_);
    return std::move(program_);
  }

 private:
  struct Operands {
    std::vector<SlotId> inputs;
    Tail tail;
    size_t main = 0;
  };

  Slot& slot(SlotId id) { return program_.slots[static_cast<size_t>(id)]; }

  /// Slots 0 ... are the graph's values; copies that steps ask for follow.
  void add_values() {
    const ir::Graph& graph = plan_.graph;
    for (size_t i = 0; i < graph.values.size(); ++i) {
      Slot value;
      value.root = static_cast<SlotId>(i);
      value.constant = plan_.constants[i];
      if (value.constant.defined()) value.layout = layout_of(value.constant);
      program_.slots.push_back(std::move(value));
    }
  }

  void add_images() {
    const ir::Graph& graph = plan_.graph;
    const ir::Dims& images = graph.values.at(static_cast<size_t>(graph.input)).shape;
    const Extents sizes = ir::at_batch(images, program_.micro_batch);
    slot(graph.input).layout = sizes.size() == 4 ? channels_last(sizes) : row_major(sizes);
    observe_constants();
  }

  void observe_constants() {
    for (const auto& [value, nodes] : plan_.observed) {
      if (plan_.is_constant(value)) program_.constant_observations.push_back({value, nodes});
      if (value == plan_.graph.input) program_.image_observers = nodes;
    }
  }

  void emit_all(const std::unordered_set<ir::ValueId>& kept) {
    for (const Group& group : decide_fusion(plan_.graph, table_, kept)) {
      run_named(group.anchor->name, [&] { emit(group); });
    }
  }

  void emit(const Group& group) {
    if (group.tail.empty() && emit_view(*group.anchor)) return;
    Operands operands = operands_of(group);
    copy_to_wanted(*group.anchor, operands.inputs);
    const ir::Node& node = *group.anchor;
    StepRequest request{node,
                        table_,
                        layouts(operands.inputs),
                        sizes_of(node, operands),
                        std::move(operands.tail),
                        operands.main,
                        weights_of(node),
                        program_.micro_batch};
    fold_batch_norm(group, request);
    BuiltStep built = build_step(request);
    add_step(node.name, std::move(operands.inputs), group.last().output(), std::move(built));
  }

  bool emit_view(const ir::Node& node) {
    if (node.inputs.size() != 1) return false;
    SlotId from = node.inputs[0];
    if (node.is<ir::Reshape>() && !view_of(node.op, shadow(slot(from).layout), batch())) {
      from = copy_of(from, row_major(slot(from).layout.sizes));
    }
    const auto view = view_of(node.op, shadow(slot(from).layout), batch());
    if (!view) return false;
    slot(node.output()).layout = layout_of(*view);
    slot(node.output()).root = slot(from).root;
    add_instruction({node.name, {from}, node.output(), nullptr, node.op});
    return true;
  }

  Operands operands_of(const Group& group) {
    const ir::Node& anchor = *group.anchor;
    Operands operands{anchor.inputs, {}, 0};
    if (is_elementwise(anchor, table_)) {
      operands.main = main_input(anchor);
      append_tail(anchor, operands.main, operands);
    }
    ir::ValueId value = anchor.output();
    for (const ir::Node* node : group.tail) {
      append_tail(*node, node->inputs[0] == value ? 0 : 1, operands);
      value = node->output();
    }
    return operands;
  }

  /// The first input that is as large as the output.
  size_t main_input(const ir::Node& node) {
    if (node.inputs.size() < 2) return 0;
    const Extents& first = slot(node.inputs[0]).layout.sizes;
    return slot(node.inputs[0]).constant.defined() || first != broadcast_sizes(node.inputs) ? 1 : 0;
  }

  void append_tail(const ir::Node& node, size_t through, Operands& operands) {
    const auto rank = static_cast<int64_t>(slot(node.inputs[through]).layout.sizes.size());
    const bool is_binary = node.inputs.size() == 2;
    int operand = kNoOperand;
    if (is_binary) {
      operand = static_cast<int>(operands.inputs.size());
      operands.inputs.push_back(node.inputs[1 - through]);
    }
    Tail tail = tail_of(node, table_, rank == 0 ? rank_of(node) : rank, through, operand);
    if (is_binary && slot(operands.inputs.back()).constant.defined()) {
      tail.front().constant = slot(operands.inputs.back()).constant;
      tail.front().input = kNoOperand;
      operands.inputs.pop_back();
    }
    operands.tail.insert(operands.tail.end(), tail.begin(), tail.end());
  }

  int64_t rank_of(const ir::Node& node) const {
    return static_cast<int64_t>(
        plan_.graph.values[static_cast<size_t>(node.output())].shape.size());
  }

  Extents broadcast_sizes(const std::vector<SlotId>& inputs) {
    Extents sizes = slot(inputs[0]).layout.sizes;
    for (const SlotId input : inputs) sizes = at::infer_size(sizes, slot(input).layout.sizes);
    return sizes;
  }

  Extents sizes_of(const ir::Node& node, const Operands& operands) {
    if (is_elementwise(node, table_)) return broadcast_sizes(node.inputs);
    static_cast<void>(operands);
    return ir::at_batch(plan_.graph.values[static_cast<size_t>(node.output())].shape, batch());
  }

  quant::LayerTensors weights_of(const ir::Node& node) {
    const ir::Weighted* layer = ir::weighted(node.op);
    if (layer == nullptr) return {};
    if (numerics_ == Numerics::kQuantized) {
      return quant::quantized_layer_tensors(index_, node, table_);
    }
    return {layer->weight.value, layer->bias ? layer->bias->value : at::Tensor()};
  }

  /// In float a batch normalization right after a convolution moves into its weights.
  void fold_batch_norm(const Group& group, StepRequest& request) const {
    if (numerics_ != Numerics::kFloat || group.tail.empty() || !group.anchor->is<ir::Conv>()) {
      return;
    }
    const auto* norm = group.tail[0]->as<ir::BatchNorm>();
    if (norm == nullptr) return;
    const ChannelAffine affine = channel_affine(*norm);
    at::Tensor& weight = request.weights.weight;
    at::Tensor& bias = request.weights.bias;
    std::vector<int64_t> by_output(static_cast<size_t>(weight.dim()), 1);
    by_output[0] = affine.factor.numel();
    weight = weight.mul(affine.factor.reshape(by_output));
    bias = bias.defined() ? bias.mul(affine.factor).add(affine.summand) : affine.summand;
    request.tail.erase(request.tail.begin(), request.tail.begin() + 2);
  }

  void copy_to_wanted(const ir::Node& node, std::vector<SlotId>& inputs) {
    const std::vector<SlotId> own(inputs.begin(),
                                  inputs.begin() + static_cast<std::ptrdiff_t>(node.inputs.size()));
    const std::vector<Layout> wanted = wanted_inputs(node, layouts(own));
    for (size_t i = 0; i < own.size(); ++i) {
      if (!same_places(wanted[i], slot(own[i]).layout)) inputs[i] = copy_of(own[i], wanted[i]);
    }
  }

  SlotId copy_of(SlotId from, Layout layout) {
    layout.dtype = slot(from).layout.dtype;
    Slot copy = slot(from);
    copy.constant = at::Tensor();
    copy.root = static_cast<SlotId>(program_.slots.size());
    program_.slots.push_back(std::move(copy));
    const SlotId to = program_.slots.back().root;
    add_step("copy", {from}, to, build_copy(layout));
    return to;
  }

  /// The graph's output as [N, classes] in rows.
  SlotId output_rows() {
    const SlotId output = plan_.graph.output;
    const Layout& layout = slot(output).layout;
    return is_row_major(layout) ? output : copy_of(output, row_major(layout.sizes));
  }

  std::vector<Layout> layouts(const std::vector<SlotId>& slots) {
    std::vector<Layout> result;
    for (const SlotId id : slots) result.push_back(slot(id).layout);
    return result;
  }

  void add_step(const std::string& name, std::vector<SlotId> inputs, SlotId output,
                BuiltStep built) {
    slot(output).layout = std::move(built.out);
    program_.scratch_bytes = std::max(program_.scratch_bytes, built.step->scratch_bytes());
    add_instruction({name, std::move(inputs), output, std::move(built.step), std::nullopt});
  }

  void add_instruction(Instruction instruction) {
    std::vector<Observation> seen;
    const auto observed = plan_.observed.find(instruction.output);
    if (observed != plan_.observed.end()) seen.push_back({observed->first, observed->second});
    program_.instructions.push_back(std::move(instruction));
    program_.observations.push_back(std::move(seen));
  }

  int64_t batch() const { return program_.micro_batch; }

  PlanGraph plan_;
  ir::Index index_;
  const quant::QuantizerTable& table_;
  Numerics numerics_;
  Program program_;
};

}  // namespace

Program compile(PlanGraph plan, const quant::QuantizerTable& table, Numerics numerics,
                int64_t micro_batch) {
  return Compiler(std::move(plan), table, numerics, micro_batch).whole_network();
}

Program compile_part(PlanGraph nodes, const PartValues& values, const quant::QuantizerTable& table,
                     int64_t batch) {
  return Compiler(std::move(nodes), table, Numerics::kQuantized, batch).part(values);
}

}  // namespace ptq::runtime
