#include "runtime/sweep/network_part.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_strided.h>
#include <c10/core/InferenceMode.h>

#include "ptq/base/error.h"

namespace ptq::runtime {
namespace {

class PartRun {
 public:
  PartRun(const Program& part, const std::vector<at::Tensor>& inputs, PartMemory& memory)
      : part_(part),
        values_(part.slots.size()),
        own_(part.slots.size()),
        leaves_(part.slots.size(), false),
        arena_(static_cast<uint8_t*>(memory.arena(part.arena_bytes))),
        scratch_(memory.scratch(part.scratch_bytes)) {
    for (size_t i = 0; i < part.slots.size(); ++i) values_[i] = part.slots[i].constant;
    for (size_t i = 0; i < inputs.size(); ++i) value(part.inputs[i]) = inputs[i];
    for (const SlotId output : part.outputs) leaves_[index(root(output))] = true;
    for (const SlotId input : part.inputs) leaves_[index(input)] = false;
  }

  std::vector<at::Tensor> run() {
    for (const Instruction& instruction : part_.instructions) {
      run_named(instruction.node, [&] { run(instruction); });
    }
    std::vector<at::Tensor> outputs;
    for (const SlotId output : part_.outputs) outputs.push_back(taken_out(output));
    return outputs;
  }

 private:
  static size_t index(SlotId id) { return static_cast<size_t>(id); }
  const Slot& slot(SlotId id) const { return part_.slots[index(id)]; }
  at::Tensor& value(SlotId id) { return values_[index(id)]; }

  SlotId root(SlotId id) const {
    while (slot(id).root != id) id = slot(id).root;
    return id;
  }

  void run(const Instruction& instruction) {
    std::vector<at::Tensor> inputs;
    for (const SlotId input : instruction.inputs) inputs.push_back(value(input));
    at::Tensor& out = value(instruction.output);
    if (instruction.view) {
      out = *view_of(*instruction.view, inputs[0], part_.micro_batch);
    } else {
      out = place(instruction.output);
      instruction.step->bind(inputs, out, scratch_)();
    }
  }

  /// Memory of its own for what leaves the part, a place in the arena for the rest.
  at::Tensor place(SlotId id) {
    const SlotId owner = root(id);
    if (!leaves_[index(owner)]) return tensor_at(arena_ + slot(owner).offset, slot(id).layout);
    at::Tensor& own = own_[index(owner)];
    if (!own.defined()) own = new_tensor(slot(owner).layout);
    return id == owner ? own : tensor_at(own.data_ptr(), slot(id).layout);
  }

  at::Tensor taken_out(SlotId id) {
    const at::Tensor& made = value(id);
    if (own_[index(id)].defined()) return made;
    Layout layout = layout_of(made);
    if (!is_dense(layout)) layout = row_major(layout.sizes), layout.dtype = made.scalar_type();
    at::Tensor copy = new_tensor(layout);
    copy.copy_(made);
    return copy;
  }

  /// One that autograd may save: techniques train on what a sweep shows them.
  static at::Tensor new_tensor(const Layout& layout) {
    const c10::InferenceMode gradients(false);
    return at::empty_strided(layout.sizes, layout.strides, at::TensorOptions().dtype(layout.dtype));
  }

  const Program& part_;
  std::vector<at::Tensor> values_, own_;
  /// By root: whether an output lies in its memory.
  std::vector<bool> leaves_;
  uint8_t* arena_;
  void* scratch_;
};

}  // namespace

void* PartMemory::grown(at::Tensor& memory, int64_t bytes) {
  if (!memory.defined() || memory.numel() <= bytes) {
    memory = at::Tensor();
    memory = at::empty({bytes + 1}, at::TensorOptions().dtype(at::kByte));
  }
  return memory.data_ptr();
}

std::vector<at::Tensor> run_part(const Program& part, const std::vector<at::Tensor>& inputs,
                                 PartMemory& memory) {
  return PartRun(part, inputs, memory).run();
}

}  // namespace ptq::runtime
