#pragma once

#include "runtime/onednn/onednn.h"
#include "runtime/steps/step.h"

namespace ptq::runtime {

/// A step that is one oneDNN primitive over the first input, or the first two.
class KernelStep : public Step {
 public:
  enum class Factors { kOne, kTwo };
  explicit KernelStep(onednn::Kernel kernel, Factors factors = Factors::kOne)
      : kernel_(std::move(kernel)), factors_(factors) {}

  int64_t scratch_bytes() const override { return kernel_.scratch_bytes(); }
  Bound bind(const std::vector<at::Tensor>& inputs, const at::Tensor& out,
             void* scratch) const override {
    const at::Tensor second = factors_ == Factors::kTwo ? inputs.at(1) : at::Tensor();
    return kernel_.bind(inputs.at(0), second, out, scratch);
  }

 private:
  onednn::Kernel kernel_;
  Factors factors_;
};

/// A kernel step that makes `out`, and whatever of `tail` the kernel did not carry.
inline BuiltStep kernel_step(onednn::Kernel kernel, const Tail& tail, const Layout& out,
                             KernelStep::Factors factors = KernelStep::Factors::kOne) {
  const auto carried = static_cast<std::ptrdiff_t>(kernel.tail_carried());
  return tailed(std::make_unique<KernelStep>(std::move(kernel), factors),
                Tail(tail.begin() + carried, tail.end()), out);
}

}  // namespace ptq::runtime
