#include <algorithm>

#include "runtime/steps/step.h"

namespace ptq::runtime {
namespace {

class Elementwise : public Step {
 public:
  Elementwise(Tail tail, size_t main, std::optional<quant::ByteFormat> codes)
      : tail_(std::move(tail)), main_(main), codes_(codes) {}

  bool may_overwrite(size_t index) const override { return index == main_; }
  Bound bind(const std::vector<at::Tensor>& inputs, const at::Tensor& out,
             void* /*scratch*/) const override {
    return bind_tail(tail_, {inputs.at(main_), codes_}, inputs, out);
  }

 private:
  Tail tail_;
  size_t main_;
  /// Of the main input.
  std::optional<quant::ByteFormat> codes_;
};

class WithTail : public Step {
 public:
  /// `floats` is how the step lays out its output, bytes or not.
  WithTail(std::unique_ptr<Step> step, Tail tail, Layout floats)
      : step_(std::move(step)), tail_(std::move(tail)), floats_(std::move(floats)) {}

  int64_t scratch_bytes() const override {
    return own_bytes() + (makes_codes(tail_) ? floats_.bytes() : 0);
  }
  Bound bind(const std::vector<at::Tensor>& inputs, const at::Tensor& out,
             void* scratch) const override {
    const at::Tensor floats =
        makes_codes(tail_) ? tensor_at(static_cast<uint8_t*>(scratch) + own_bytes(), floats_) : out;
    return [first = step_->bind(inputs, floats, scratch),
            rest = bind_tail(tail_, {floats}, inputs, out)] {
      first();
      rest();
    };
  }

 private:
  int64_t own_bytes() const { return (step_->scratch_bytes() + 63) / 64 * 64; }

  std::unique_ptr<Step> step_;
  Tail tail_;
  Layout floats_;
};

}  // namespace

bool makes_codes(const Tail& tail) {
  return !tail.empty() && tail.back().kind == TailKind::kQuantize;
}

Layout after_tail(const Tail& tail, const Layout& floats) {
  return makes_codes(tail) ? as_codes(floats, *tail.back().codes) : floats;
}

BuiltStep tailed(std::unique_ptr<Step> step, Tail tail, const Layout& floats) {
  if (tail.empty()) return {std::move(step), floats};
  const Layout out = after_tail(tail, floats);
  return {std::make_unique<WithTail>(std::move(step), std::move(tail), floats), out};
}

BuiltStep build_dequantize(const Layout& codes, const Layout& out) {
  return {std::make_unique<Elementwise>(Tail{}, 0, codes.codes), out};
}

BuiltStep build_elementwise(const StepRequest& request) {
  const Layout& main = request.inputs[request.main];
  const auto is_number = [](const Layout& layout) {
    return layout.dtype == at::kFloat || layout.codes;
  };
  if (!std::all_of(request.inputs.begin(), request.inputs.end(), is_number)) return {};
  const bool keeps_layout = main.sizes == request.sizes && is_dense(main);
  const Layout floats = keeps_layout ? as_floats(main) : row_major(request.sizes);
  return {std::make_unique<Elementwise>(request.tail, request.main, main.codes),
          after_tail(request.tail, floats)};
}

}  // namespace ptq::runtime
