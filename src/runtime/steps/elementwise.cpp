#include <algorithm>

#include "runtime/steps/step.h"

namespace ptq::runtime {
namespace {

class Elementwise : public Step {
 public:
  Elementwise(Tail tail, size_t main) : tail_(std::move(tail)), main_(main) {}

  bool may_overwrite(size_t index) const override { return index == main_; }
  Bound bind(const std::vector<at::Tensor>& inputs, const at::Tensor& out,
             void* /*scratch*/) const override {
    return bind_tail(tail_, inputs.at(main_), inputs, out);
  }

 private:
  Tail tail_;
  size_t main_;
};

class WithTail : public Step {
 public:
  WithTail(std::unique_ptr<Step> step, Tail tail)
      : step_(std::move(step)), tail_(std::move(tail)) {}

  int64_t scratch_bytes() const override { return step_->scratch_bytes(); }
  Bound bind(const std::vector<at::Tensor>& inputs, const at::Tensor& out,
             void* scratch) const override {
    return [first = step_->bind(inputs, out, scratch), rest = bind_tail(tail_, out, inputs, out)] {
      first();
      rest();
    };
  }

 private:
  std::unique_ptr<Step> step_;
  Tail tail_;
};

}  // namespace

std::unique_ptr<Step> with_tail(std::unique_ptr<Step> step, Tail tail) {
  if (tail.empty()) return step;
  return std::make_unique<WithTail>(std::move(step), std::move(tail));
}

BuiltStep build_elementwise(const StepRequest& request) {
  const Layout& main = request.inputs[request.main];
  const auto is_float = [](const Layout& layout) { return layout.dtype == at::kFloat; };
  if (!std::all_of(request.inputs.begin(), request.inputs.end(), is_float)) return {};
  const bool keeps_layout = main.sizes == request.sizes && is_dense(main);
  return {std::make_unique<Elementwise>(request.tail, request.main),
          keeps_layout ? main : row_major(request.sizes)};
}

}  // namespace ptq::runtime
