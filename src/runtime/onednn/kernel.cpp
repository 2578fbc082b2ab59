#include "runtime/onednn/kernel.h"

#include <ATen/ops/empty_strided.h>

#include <cstring>

#include "runtime/onednn/onednn.h"

namespace ptq::runtime::onednn {

const dnnl::engine& engine() {
  static const dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}

dnnl::memory::desc describe(const Layout& layout) {
  return {layout.sizes, dnnl::memory::data_type::f32, layout.strides};
}

dnnl::memory pack(const at::Tensor& tensor, const dnnl::memory::desc& plain,
                  const dnnl::memory::desc& packed) {
  dnnl::memory from(plain, engine(), tensor.data_ptr());
  dnnl::memory to(packed, engine());
  dnnl::stream stream(engine());
  dnnl::reorder(from, to).execute(stream, from, to);
  stream.wait();
  return to;
}

int64_t Kernel::scratch_bytes() const { return static_cast<int64_t>(state_->scratch.get_size()); }
size_t Kernel::tail_carried() const { return state_->tail_carried; }
std::string Kernel::implementation() const { return state_->implementation; }

Bound Kernel::bind(const at::Tensor& first, const at::Tensor& second, const at::Tensor& out,
                   void* scratch) const {
  Arguments arguments = state_->fixed;
  const auto add = [&](int name, const dnnl::memory::desc& description, void* data) {
    arguments[name] = dnnl::memory(description, engine(), data);
  };
  add(DNNL_ARG_SRC, state_->first, first.data_ptr());
  if (second.defined()) add(DNNL_ARG_WEIGHTS, state_->second, second.data_ptr());
  add(DNNL_ARG_DST, state_->out, out.data_ptr());
  if (state_->scratch.get_size() != 0) add(DNNL_ARG_SCRATCHPAD, state_->scratch, scratch);
  return [state = state_, arguments = std::move(arguments), stream = dnnl::stream(engine())] {
    state->primitive.execute(stream, arguments);
  };
}

}  // namespace ptq::runtime::onednn
