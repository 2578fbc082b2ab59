#include "runtime/plan/compile.h"

#include <algorithm>

#include "ir/padding.h"
#include "ptq/base/error.h"
#include "runtime/integer/decision.h"
#include "runtime/plan/fusion.h"
#include "runtime/plan/group_operands.h"
#include "runtime/plan/memory.h"
#include "runtime/steps/tail_from_node.h"

namespace ptq::runtime {
namespace {

class Compiler {
 public:
  Compiler(PlanGraph plan, Numerics numerics, Arithmetic arithmetic, int64_t micro_batch)
      : plan_(std::move(plan)), index_(plan_.graph), numerics_(numerics), arithmetic_(arithmetic) {
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
    if (numerics_ == Numerics::kQuantized && arithmetic_ == Arithmetic::kInteger) {
      decision_ = integer::decide(plan_, kept);
    }
    for (const Group& group : decide_fusion(plan_, kept)) {
      run_named(group.anchor->name, [&] { emit(group); });
    }
  }

  void emit(const Group& group) {
    if (group.tail.empty() && emit_view(*group.anchor)) return;
    if (reads_codes(*group.anchor) && emit_step(group, group.anchor->inputs)) return;
    std::vector<SlotId> floats;
    for (const SlotId input : group.anchor->inputs) floats.push_back(floats_of(input));
    emit_step(group, floats);
  }

  /// Whether some input is codes and the operation has a step for them, most likely.
  bool reads_codes(const ir::Node& node) {
    const bool has_step = decision_.layers.count(&node) != 0 || node.is<ir::MatMul>() ||
                          node.is<ir::Concat>() || node.is<ir::MaxPool>() ||
                          node.is<ir::AvgPool>() || node.is<ir::AdaptiveAvgPool>() ||
                          node.is<ir::Mean>() || ir::zero_padding(node.op).has_value() ||
                          is_elementwise(node, plan_.table);
    return has_step && std::any_of(node.inputs.begin(), node.inputs.end(), [&](SlotId input) {
             return slot(input).layout.codes.has_value();
           });
  }

  /// The step of a group whose anchor reads `inputs`: whether there is one for the codes among
  /// them.
  bool emit_step(const Group& group, const std::vector<SlotId>& inputs) {
    const ir::Node& node = *group.anchor;
    GroupOperands operands = operands_of(group, program_.slots, plan_);
    std::copy(inputs.begin(), inputs.end(), operands.inputs.begin());
    end_in_codes(group, operands.tail);
    copy_to_wanted(node, operands.inputs);
    StepRequest request{node,
                        plan_.table,
                        layouts(operands.inputs),
                        sizes_of(node),
                        std::move(operands.tail),
                        operands.main,
                        {},
                        nullptr,
                        program_.micro_batch};
    const auto layer = decision_.layers.find(&node);
    if (layer != decision_.layers.end() && request.inputs[0].codes) {
      request.integers = &layer->second;
    } else {
      request.weights = weights_of(node);
    }
    fold_batch_norm(group, request);
    const bool on_codes = inputs == node.inputs && reads_codes(node);
    BuiltStep built = on_codes ? build_step_on_codes(request) : build_step(request);
    if (built.step == nullptr) return false;
    add_step(node.name, std::move(operands.inputs), group.last().output(), std::move(built));
    return true;
  }

  /// A last quantization whose output lies as codes makes them.
  void end_in_codes(const Group& group, Tail& tail) const {
    if (decision_.codes.empty()) return;
    const auto& codes = decision_.codes[static_cast<size_t>(group.last().output())];
    if (!codes || tail.empty() || tail.back().kind != TailKind::kFakeQuantize) return;
    tail.back().kind = TailKind::kQuantize;
    tail.back().codes = codes;
  }

  /// A slot with what the codes of `id` stand for; itself where it is floats.
  SlotId floats_of(SlotId id) {
    if (!slot(id).layout.codes) return id;
    const auto known = floats_.find(id);
    if (known != floats_.end()) return known->second;
    const Layout& codes = slot(id).layout;
    const Layout layout = is_dense(codes) ? as_floats(codes) : row_major(codes.sizes);
    const SlotId to = new_slot(layout);
    add_step("dequantize", {id}, to, build_dequantize(codes, layout));
    floats_.emplace(id, to);
    return to;
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
    slot(node.output()).layout.codes = slot(from).layout.codes;
    slot(node.output()).root = slot(from).root;
    add_instruction({node.name, {from}, node.output(), nullptr, node.op});
    return true;
  }

  Extents sizes_of(const ir::Node& node) {
    if (is_elementwise(node, plan_.table)) return broadcast_sizes(node.inputs, program_.slots);
    return ir::at_batch(plan_.graph.values[static_cast<size_t>(node.output())].shape, batch());
  }

  quant::LayerTensors weights_of(const ir::Node& node) {
    const ir::Weighted* layer = ir::weighted(node.op);
    if (layer == nullptr) return {};
    if (numerics_ == Numerics::kQuantized) {
      return quant::quantized_layer_tensors(index_, node, plan_.table);
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
    request.tail.erase(request.tail.begin(), request.tail.begin() + tail_length(*group.tail[0]));
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
    layout.dtype = slot(from).layout.dtype, layout.codes = slot(from).layout.codes;
    const SlotId to = new_slot(layout);
    add_step("copy", {from}, to, build_copy(layout));
    return to;
  }

  SlotId new_slot(const Layout& layout) {
    Slot made;
    made.layout = layout;
    made.root = static_cast<SlotId>(program_.slots.size());
    program_.slots.push_back(std::move(made));
    return program_.slots.back().root;
  }

  /// The graph's output as [N, classes] in rows.
  SlotId output_rows() {
    const SlotId output = floats_of(plan_.graph.output);
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
  Numerics numerics_;
  Arithmetic arithmetic_;
  integer::Decision decision_;
  /// By slot of codes: that of its floats.
  std::unordered_map<SlotId, SlotId> floats_;
  Program program_;
};

}  // namespace

Program compile(PlanGraph plan, Numerics numerics, Arithmetic arithmetic, int64_t micro_batch) {
  return Compiler(std::move(plan), numerics, arithmetic, micro_batch).whole_network();
}

Program compile_part(PlanGraph nodes, const PartValues& values, int64_t batch) {
  return Compiler(std::move(nodes), Numerics::kQuantized, Arithmetic::kFloat, batch).part(values);
}

}  // namespace ptq::runtime
