#include "runtime/sweep/activation_store.h"

#include <ATen/ops/empty_strided.h>

namespace ptq::runtime {

ActivationStore::Activation::Activation(std::shared_ptr<Shared> store, const at::Tensor& dense)
    : store_(std::move(store)), layout_(layout_of(dense)) {
  const int64_t bytes = layout_.bytes();
  // What came first stays in memory: a sweep visits everything once between two visits of the same
  // batch, so that no other choice would meet the file less often.
  if (store_->in_memory.fetch_add(bytes) + bytes <= store_->memory_bytes) {
    place_ = dense;
    return;
  }
  store_->in_memory -= bytes;
  place_ = store_->file.write(dense.data_ptr(), bytes);
  store_->in_file += bytes;
}

ActivationStore::Activation::~Activation() {
  const int64_t bytes = layout_.bytes();
  if (const auto* offset = std::get_if<int64_t>(&place_)) {
    store_->file.release(*offset, bytes);
    store_->in_file -= bytes;
  } else {
    store_->in_memory -= bytes;
  }
}

at::Tensor ActivationStore::Activation::load() const {
  if (const auto* tensor = std::get_if<at::Tensor>(&place_)) return *tensor;
  const at::Tensor tensor =
      at::empty_strided(layout_.sizes, layout_.strides, at::TensorOptions().dtype(layout_.dtype));
  store_->file.read(std::get<int64_t>(place_), tensor.data_ptr(), layout_.bytes());
  return tensor;
}

ActivationStore::ActivationStore(int64_t memory_bytes)
    : shared_(std::make_shared<Shared>(memory_bytes)) {}

ActivationStore::Handle ActivationStore::keep(const at::Tensor& dense) const {
  return Handle(new Activation(shared_, dense));
}

int64_t ActivationStore::bytes_in_memory() const { return shared_->in_memory; }
int64_t ActivationStore::bytes_in_file() const { return shared_->in_file; }

}  // namespace ptq::runtime
