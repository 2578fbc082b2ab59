#include "runtime/plan/group_operands.h"

#include <ATen/ExpandUtils.h>

#include "runtime/steps/tail_from_node.h"

namespace ptq::runtime {
namespace {

class OperandsOf {
 public:
  OperandsOf(const std::vector<Slot>& slots, const PlanGraph& plan) : slots_(slots), plan_(plan) {}

  GroupOperands run(const Group& group) {
    const ir::Node& anchor = *group.anchor;
    operands_.inputs = anchor.inputs;
    if (is_elementwise(anchor, plan_.table)) {
      operands_.main = main_input(anchor);
      append_tail(anchor, operands_.main);
    }
    const size_t own = operands_.tail.size();
    ir::ValueId value = anchor.output();
    for (const ir::Node* node : group.tail) {
      append_tail(*node, node->inputs[0] == value ? 0 : 1);
      value = node->output();
    }
    absorb_ceilings(operands_.tail, own);
    return std::move(operands_);
  }

 private:
  const Slot& slot(SlotId id) const { return slots_[static_cast<size_t>(id)]; }

  /// The first input that is as large as the output.
  size_t main_input(const ir::Node& node) const {
    if (node.inputs.size() < 2) return 0;
    const Extents& first = slot(node.inputs[0]).layout.sizes;
    const bool whole = first == broadcast_sizes(node.inputs, slots_);
    return slot(node.inputs[0]).constant.defined() || !whole ? 1 : 0;
  }

  void append_tail(const ir::Node& node, size_t through) {
    const auto rank = static_cast<int64_t>(slot(node.inputs[through]).layout.sizes.size());
    const bool is_binary = node.inputs.size() == 2;
    int operand = kNoOperand;
    if (is_binary) {
      operand = static_cast<int>(operands_.inputs.size());
      operands_.inputs.push_back(node.inputs[1 - through]);
    }
    Tail tail = tail_of(node, plan_.table, rank == 0 ? rank_of(node) : rank, through, operand);
    if (is_binary) place_operand(tail.front());
    operands_.tail.insert(operands_.tail.end(), tail.begin(), tail.end());
  }

  /// A constant stays with the operation; codes are read as what they stand for.
  void place_operand(TailOp& op) {
    const Slot& from = slot(operands_.inputs.back());
    if (from.constant.defined()) {
      op.constant = from.constant;
      op.input = kNoOperand;
      operands_.inputs.pop_back();
    } else {
      op.codes = from.layout.codes;
    }
  }

  int64_t rank_of(const ir::Node& node) const {
    return static_cast<int64_t>(
        plan_.graph.values[static_cast<size_t>(node.output())].shape.size());
  }

  const std::vector<Slot>& slots_;
  const PlanGraph& plan_;
  GroupOperands operands_;
};

}  // namespace

GroupOperands operands_of(const Group& group, const std::vector<Slot>& slots,
                          const PlanGraph& plan) {
  return OperandsOf(slots, plan).run(group);
}

Extents broadcast_sizes(const std::vector<SlotId>& inputs, const std::vector<Slot>& slots) {
  const auto sizes_of = [&](SlotId id) { return slots[static_cast<size_t>(id)].layout.sizes; };
  Extents sizes = sizes_of(inputs[0]);
  for (const SlotId input : inputs) sizes = at::infer_size(sizes, sizes_of(input));
  return sizes;
}

}  // namespace ptq::runtime
