#include "runtime/plan/lane.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include "ptq/base/error.h"

namespace ptq::runtime {
namespace {

/// The bytes come zeroed: what a padded micro-batch computes on is finite. Kernels on codes read a
/// vector past the end.
at::Tensor aligned_bytes(int64_t bytes) {
  return at::zeros({bytes + 64}, at::TensorOptions().dtype(at::kByte));
}

void show(const Observer& observer, const std::vector<const ir::Node*>& nodes,
          const at::Tensor& value, int lane) {
  const at::Tensor dense = value.is_non_overlapping_and_dense() ? value : value.contiguous();
  for (const ir::Node* node : nodes) observer(*node, dense, lane);
}

}  // namespace

Lane::Lane(const Program& program)
    : program_(program),
      arena_(aligned_bytes(program.arena_bytes)),
      scratch_(aligned_bytes(program.scratch_bytes)),
      values_(program.slots.size()) {
  auto* const base = arena_.data_ptr<uint8_t>();
  const auto place = [&](SlotId id) {
    SlotId root = id;
    while (program.slots[static_cast<size_t>(root)].root != root) {
      root = program.slots[static_cast<size_t>(root)].root;
    }
    const Slot& slot = program.slots[static_cast<size_t>(id)];
    return tensor_at(base + program.slots[static_cast<size_t>(root)].offset, slot.layout);
  };
  for (size_t i = 0; i < program.slots.size(); ++i) values_[i] = program.slots[i].constant;
  const SlotId images = program.inputs.front();
  values_[static_cast<size_t>(images)] = place(images);
  for (const Instruction& instruction : program.instructions) {
    at::Tensor& out = values_[static_cast<size_t>(instruction.output)];
    std::vector<at::Tensor> inputs;
    for (const SlotId input : instruction.inputs) {
      inputs.push_back(values_[static_cast<size_t>(input)]);
    }
    if (instruction.view) {
      out = *view_of(*instruction.view, inputs[0], program.micro_batch);
      bound_.emplace_back();
    } else {
      out = place(instruction.output);
      bound_.push_back(instruction.step->bind(inputs, out, scratch_.data_ptr()));
    }
  }
}

void Lane::run(const at::Tensor& images, const at::Tensor& logits, const Observer& observer,
               int lane) {
  const int64_t count = images.size(0);
  if (observer) show(observer, program_.image_observers, images, lane);
  const at::Tensor& batch = value(program_.inputs.front());
  batch.narrow(0, 0, count).copy_(images);
  // What lies there may be codes, which as floats need not be numbers.
  if (count < batch.size(0)) batch.narrow(0, count, batch.size(0) - count).zero_();
  for (size_t i = 0; i < bound_.size(); ++i) {
    if (bound_[i]) run_named(program_.instructions[i].node, bound_[i]);
    if (!observer) continue;
    for (const Observation& seen : program_.observations[i])
      show(observer, seen.nodes, value(seen.slot), lane);
  }
  logits.copy_(value(program_.outputs.front()).narrow(0, 0, count));
}

void Lane::observe_constants(const Observer& observer, int lane) const {
  for (const Observation& seen : program_.constant_observations) {
    show(observer, seen.nodes, value(seen.slot), lane);
  }
}

}  // namespace ptq::runtime
