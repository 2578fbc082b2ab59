#include "libtorch_float.h"

#include <torch/script.h>

namespace ptq::bench {

struct LibtorchFloat::State {
  torch::jit::Module module;
  at::MemoryFormat format = at::MemoryFormat::Contiguous;
};

LibtorchFloat::LibtorchFloat(const std::string& path, Preparation preparation)
    : state_(std::make_unique<State>()) {
  torch::jit::Module module = torch::jit::load(path);
  module.eval();
  if (preparation == Preparation::kFrozenChannelsLast) {
    state_->module = torch::jit::freeze(module);
    state_->format = at::MemoryFormat::ChannelsLast;
  } else {
    state_->module = torch::jit::optimize_for_inference(module);
  }
}

LibtorchFloat::~LibtorchFloat() = default;
LibtorchFloat::LibtorchFloat(LibtorchFloat&&) noexcept = default;

at::Tensor LibtorchFloat::run(const at::Tensor& images) {
  const torch::NoGradGuard no_gradients;
  return state_->module.forward({images.contiguous(state_->format)}).toTensor();
}

}  // namespace ptq::bench
