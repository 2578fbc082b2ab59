#include "runtime/plan/memory.h"

#include <algorithm>
#include <map>

namespace ptq::runtime {
namespace {

/// Cache lines; also what the widest vectors like.
constexpr int64_t kAlignment = 64;

struct Lifetime {
  int64_t first = -1, last = -1;
  int64_t bytes = 0;
};

struct Placed {
  Lifetime lifetime;
  int64_t offset;
};

class MemoryPlan {
 public:
  explicit MemoryPlan(Program& program) : program_(program), lifetimes_(program.slots.size()) {}

  void run() {
    for (const SlotId input : program_.inputs) touch(input, 0);
    for (size_t i = 0; i < program_.instructions.size(); ++i) {
      const auto time = static_cast<int64_t>(i);
      for (const SlotId input : program_.instructions[i].inputs) touch(input, time);
      touch(program_.instructions[i].output, time);
    }
    const auto end = static_cast<int64_t>(program_.instructions.size());
    for (const SlotId output : program_.outputs) touch(output, end);
    overwrite_inputs();
    place();
  }

 private:
  Slot& slot(SlotId id) { return program_.slots[static_cast<size_t>(id)]; }
  Lifetime& lifetime(SlotId root) { return lifetimes_[static_cast<size_t>(root)]; }

  /// The slot that owns the memory of `id`: views first, then overwritten inputs.
  SlotId root(SlotId id) {
    while (slot(id).root != id) id = slot(id).root;
    return id;
  }

  void touch(SlotId id, int64_t time) {
    const SlotId owner = root(id);
    if (slot(owner).constant.defined()) return;
    Lifetime& life = lifetime(owner);
    if (life.first < 0) life = {time, time, slot(owner).layout.bytes()};
    life.last = std::max(life.last, time);
  }

  bool is_input(SlotId id) const {
    const auto& inputs = program_.inputs;
    return std::find(inputs.begin(), inputs.end(), id) != inputs.end();
  }

  void overwrite_inputs() {
    for (size_t i = 0; i < program_.instructions.size(); ++i) {
      const Instruction& instruction = program_.instructions[i];
      if (instruction.step == nullptr) continue;
      for (size_t input = 0; input < instruction.inputs.size(); ++input) {
        if (instruction.step->may_overwrite(input) && overwrite(instruction, input, i)) break;
      }
    }
  }

  bool overwrite(const Instruction& instruction, size_t input, size_t time) {
    const SlotId from = root(instruction.inputs[input]);
    const SlotId to = instruction.output;
    if (slot(from).constant.defined() || is_input(from)) return false;
    const auto& inputs = instruction.inputs;
    const bool read_twice = std::count_if(inputs.begin(), inputs.end(),
                                          [&](SlotId other) { return root(other) == from; }) > 1;
    const bool dies = lifetime(from).last == static_cast<int64_t>(time);
    if (read_twice || !dies || !(slot(instruction.inputs[input]).layout == slot(to).layout) ||
        slot(from).layout.bytes() != slot(to).layout.bytes()) {
      return false;
    }
    lifetime(from).last = lifetime(to).last;
    lifetime(to) = {};
    slot(to).root = from;
    return true;
  }

  /// Largest first, each at the lowest place that nothing alive at the same time occupies.
  void place() {
    std::vector<SlotId> order;
    for (size_t i = 0; i < lifetimes_.size(); ++i) {
      if (lifetimes_[i].first >= 0) order.push_back(static_cast<SlotId>(i));
    }
    std::stable_sort(order.begin(), order.end(),
                     [&](SlotId a, SlotId b) { return lifetime(a).bytes > lifetime(b).bytes; });
    for (const SlotId id : order) place(id);
  }

  void place(SlotId id) {
    const Lifetime& life = lifetime(id);
    const int64_t bytes = (life.bytes + kAlignment - 1) / kAlignment * kAlignment;
    int64_t offset = 0;
    for (const Placed& other : placed_) {
      const bool meet = other.lifetime.first <= life.last && life.first <= other.lifetime.last;
      if (!meet) continue;
      if (offset + bytes <= other.offset) break;
      offset = std::max(offset, other.offset + other.lifetime.bytes);
    }
    slot(id).offset = offset;
    program_.arena_bytes = std::max(program_.arena_bytes, offset + bytes);
    const Placed mine{{life.first, life.last, bytes}, offset};
    placed_.insert(
        std::upper_bound(placed_.begin(), placed_.end(), mine,
                         [](const Placed& a, const Placed& b) { return a.offset < b.offset; }),
        mine);
  }

  Program& program_;
  std::vector<Lifetime> lifetimes_;
  std::vector<Placed> placed_;
};

}  // namespace

void assign_memory(Program& program) { MemoryPlan(program).run(); }

}  // namespace ptq::runtime
