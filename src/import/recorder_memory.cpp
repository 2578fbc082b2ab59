#include <ATen/ops/isnan.h>

#include <algorithm>
#include <numeric>

#include "import/messages.h"
#include "import/recorder.h"
#include "ptq/base/error.h"

/// The part of the recorder that knows which tensors share memory, and what was written into it.
namespace ptq::import {
namespace {

c10::StorageImpl* memory_of(const at::Tensor& tensor) {
  return tensor.has_storage() ? tensor.storage().unsafeGetStorageImpl() : nullptr;
}

bool same_places(const at::Tensor& a, const at::Tensor& b) {
  return a.sizes() == b.sizes() && a.strides() == b.strides() &&
         a.storage_offset() == b.storage_offset();
}

/// `part` has all elements of `whole` in their order.
bool is_reshaped(const at::Tensor& part, const at::Tensor& whole) {
  return part.is_contiguous() && whole.is_contiguous() && part.numel() == whole.numel() &&
         part.storage_offset() == whole.storage_offset();
}

bool owns_its_memory(const at::Tensor& tensor) {
  return tensor.storage_offset() == 0 && tensor.is_non_overlapping_and_dense() &&
         static_cast<size_t>(tensor.numel()) * tensor.element_size() == tensor.storage().nbytes();
}

/// Dimensions of a dense tensor from the outermost to the densest in memory.
ir::Ints memory_order(const at::Tensor& tensor) {
  ir::Ints order(static_cast<size_t>(tensor.dim()));
  std::iota(order.begin(), order.end(), int64_t{0});
  if (tensor.is_contiguous()) return order;
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return tensor.stride(a) > tensor.stride(b); });
  return order;
}

ir::Ints inverse(const ir::Ints& order) {
  ir::Ints places(order.size());
  for (size_t i = 0; i < order.size(); ++i) {
    places[static_cast<size_t>(order[i])] = static_cast<int64_t>(i);
  }
  return places;
}

/// Where `part` lies, as as_strided and as_strided_scatter take it.
void add_places(std::vector<ir::Argument>& arguments, const at::Tensor& part) {
  arguments.push_back(constant_dims(part.sizes()));
  arguments.push_back(constant_dims(part.strides()));
  arguments.push_back(ir::Dim{part.storage_offset(), false});
}

}  // namespace

Recorder::Written* Recorder::written(const at::Tensor& tensor) {
  const auto found = written_.find(memory_of(tensor));
  return found == written_.end() ? nullptr : &found->second;
}

int Recorder::version_of(const at::Tensor& tensor) const {
  const auto found = written_.find(memory_of(tensor));
  return found == written_.end() ? 0 : found->second.version;
}

bool Recorder::is_current(const at::Tensor& tensor) const {
  const Held* held = find(tensor);
  return version_of(tensor) == (held == nullptr ? 0 : held->version);
}

void Recorder::check_readable(const at::Tensor& tensor) const {
  if (is_current(tensor)) return;
  const auto found = written_.find(memory_of(tensor));
  if (found != written_.end() && found->second.whole.defined()) return;
  throw ImportError(join_path(module(), "forward") +
                    " writes into a part of a tensor and reads the whole afterwards, or the other "
                    "way round; such writes through a view are not supported");
}

ir::ValueId Recorder::read(const at::Tensor& tensor) {
  check_readable(tensor);
  if (is_current(tensor)) {
    const Held* held = find(tensor);
    return held != nullptr ? held->value : append_constant(tensor);
  }
  Written& memory = *written(tensor);
  finish_writes(memory);
  const ir::ValueId value = append_part(memory, tensor);
  bind(tensor, value);
  return value;
}

at::Tensor Recorder::whole_of(const at::Tensor& tensor) const {
  if (!tensor.has_storage()) return {};
  if (owns_its_memory(tensor)) return tensor;
  at::Tensor base;
  if (tensor.is_view()) base = tensor._base();
  if (!base.defined() || !owns_its_memory(base)) return {};
  // Results that show a part of something inside an operator have a base that nobody saw.
  const bool hidden = find(tensor) != nullptr && !follows(base);
  return hidden ? at::Tensor() : base;
}

void Recorder::prepare_write(const at::Tensor& tensor) {
  if (!tensor.has_storage() || written(tensor) != nullptr) return;
  c10::StorageImpl* storage = memory_of(tensor);
  Written memory{c10::weak_intrusive_ptr<c10::StorageImpl>(
                     c10::intrusive_ptr<c10::StorageImpl>::reclaim_copy(storage)),
                 0,
                 {},
                 -1,
                 {}};
  memory.whole = whole_of(tensor);
  if (memory.whole.defined()) memory.value = read(memory.whole);
  // What a constant holds now cannot be seen any more once it is written into.
  if (!follows(tensor)) bind(tensor, read(tensor));
  written_.insert_or_assign(storage, std::move(memory));
}

void Recorder::finish_writes(Written& memory) {
  for (const auto& [part, value] : memory.pending) memory.value = append_write(memory, part, value);
  memory.pending.clear();
}

/// A plan may lay values out as it likes: their order in the model's memory is said by nodes.
ir::ValueId Recorder::append_flat(ir::ValueId value, const at::Tensor& whole) {
  const ir::Ints order = memory_order(whole);
  if (!std::is_sorted(order.begin(), order.end())) {
    value = append(ir::Permute{order}, {value}, whole.permute(order).sizes(), "transpose");
  }
  return append(ir::Reshape{constant_dims({whole.numel()})}, {value}, {whole.numel()}, "memory");
}

ir::ValueId Recorder::append_shaped(ir::ValueId flat, const at::Tensor& whole) {
  const ir::Ints order = memory_order(whole);
  const auto sizes = whole.permute(order).sizes().vec();
  const ir::ValueId value = append(ir::Reshape{constant_dims(sizes)}, {flat}, sizes, "reshape");
  if (std::is_sorted(order.begin(), order.end())) return value;
  return append(ir::Permute{inverse(order)}, {value}, whole.sizes(), "transpose");
}

ir::ValueId Recorder::read_memory(const at::Tensor& whole) {
  return append_flat(read(whole), whole);
}

ir::ValueId Recorder::append_write(const Written& memory, const at::Tensor& part,
                                   ir::ValueId value) {
  const at::Tensor& whole = memory.whole;
  if (same_places(part, whole)) return value;
  if (is_reshaped(part, whole)) {
    return append(ir::Reshape{constant_dims(whole.sizes())}, {value}, whole.sizes(), "reshape");
  }
  ir::Opaque write{"aten::as_strided_scatter", "", {ir::InputRef{0}, ir::InputRef{1}}};
  add_places(write.arguments, part);
  const ir::ValueId flat = append_flat(memory.value, whole);
  return append_shaped(append(std::move(write), {flat, value}, {whole.numel()}, "write"), whole);
}

ir::ValueId Recorder::append_part(const Written& memory, const at::Tensor& part) {
  const at::Tensor& whole = memory.whole;
  if (same_places(part, whole)) return memory.value;
  if (is_reshaped(part, whole)) {
    return append(ir::Reshape{constant_dims(part.sizes())}, {memory.value}, part.sizes(),
                  "reshape");
  }
  ir::Opaque view{"aten::as_strided", "", {ir::InputRef{0}}};
  add_places(view.arguments, part);
  return append(std::move(view), {append_flat(memory.value, whole)}, part.sizes(), "part");
}

void Recorder::bind(const at::Tensor& tensor, ir::ValueId value) {
  held_.insert_or_assign(tensor.unsafeGetTensorImpl(),
                         Held{c10::weak_intrusive_ptr<c10::TensorImpl>(tensor.getIntrusivePtr()),
                              value, version_of(tensor)});
  if (seen_) seen_(value, tensor);
}

void Recorder::bind_written(const at::Tensor& tensor, ir::ValueId value) {
  prepare_write(tensor);
  Written& memory = *written(tensor);
  ++memory.version;
  if (memory.whole.defined()) memory.pending.emplace_back(tensor, value);
  bind(tensor, value);
}

}  // namespace ptq::import
