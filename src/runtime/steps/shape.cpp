#include <ATen/TensorUtils.h>
#include <ATen/ops/_reshape_alias.h>

#include <algorithm>
#include <cstring>

#include "ir/padding.h"
#include "ptq/base/error.h"
#include "runtime/steps/step.h"

namespace ptq::runtime {
namespace {

class Copy : public Step {
 public:
  Bound bind(const std::vector<at::Tensor>& inputs, const at::Tensor& out,
             void* /*scratch*/) const override {
    return [in = inputs.at(0), out] { out.copy_(in); };
  }
};

/// Interleaves the pieces of several values: `outer` times, `widths[i]` bytes of each.
class Concat : public Step {
 public:
  Concat(int64_t outer, Extents widths) : outer_(outer), widths_(std::move(widths)) {}

  Bound bind(const std::vector<at::Tensor>& inputs, const at::Tensor& out,
             void* /*scratch*/) const override {
    std::vector<const uint8_t*> from;
    for (size_t i = 0; i < widths_.size(); ++i) {
      from.push_back(static_cast<const uint8_t*>(inputs.at(i).data_ptr()));
    }
    auto* const to = static_cast<uint8_t*>(out.data_ptr());
    return [from = std::move(from), to, outer = outer_, widths = widths_] {
      copy(from, to, outer, widths);
    };
  }

 private:
  static void copy(const std::vector<const uint8_t*>& from, uint8_t* to, int64_t outer,
                   const Extents& widths) {
    for (int64_t row = 0; row < outer; ++row) {
      for (size_t i = 0; i < widths.size(); ++i) {
        std::memcpy(to, from[i] + row * widths[i], static_cast<size_t>(widths[i]));
        to += widths[i];
      }
    }
  }

  int64_t outer_;
  Extents widths_;
};

/// `pads` as zero_padding has them, of a dimension: before it and after it.
int64_t padding_before(const ir::Ints& pads, size_t rank, size_t dim) {
  const size_t place = 2 * (rank - 1 - dim);
  return place < pads.size() ? pads[place] : 0;
}

/// Puts zeros, as floats or as codes, around its input; padding below 0 cuts off.
class Padding : public Step {
 public:
  Padding(ir::Ints pads, int zero) : pads_(std::move(pads)), zero_(zero) {}

  Bound bind(const std::vector<at::Tensor>& inputs, const at::Tensor& out,
             void* /*scratch*/) const override {
    at::Tensor from = inputs.at(0), to = out;
    for (int64_t dim = 0; dim < out.dim(); ++dim) {
      const int64_t before =
          padding_before(pads_, static_cast<size_t>(out.dim()), static_cast<size_t>(dim));
      const int64_t cut = std::max<int64_t>(0, -before), shift = std::max<int64_t>(0, before);
      const int64_t size = std::min(from.size(dim) - cut, to.size(dim) - shift);
      from = from.narrow(dim, cut, size), to = to.narrow(dim, shift, size);
    }
    return [from, to, out, zero = zero_] {
      out.fill_(zero);
      to.copy_(from);
    };
  }

 private:
  ir::Ints pads_;
  int zero_;
};

struct ViewOf {
  const at::Tensor& in;
  int64_t batch;
  using Result = std::optional<at::Tensor>;

  Result operator()(const ir::Reshape& op) const {
    const Extents sizes = ir::at_batch(op.shape, batch);
    const auto strides = at::detail::computeStride(in.sizes(), in.strides(), infer(sizes));
    if (!strides) return std::nullopt;
    return at::_reshape_alias(in, infer(sizes), *strides);
  }
  Result operator()(const ir::Permute& op) const { return in.permute(op.dims); }
  Result operator()(const ir::Expand& op) const { return in.expand(ir::at_batch(op.shape, batch)); }
  Result operator()(const ir::Select& op) const { return in.select(op.dim, op.index.at(batch)); }
  Result operator()(const ir::Slice& op) const {
    return in.slice(op.dim, op.start.at(batch), op.end.at(batch), op.step);
  }
  Result operator()(const ir::AdaptiveAvgPool& op) const {
    const bool same = in.dim() == 4 && op.output_size == in.sizes().slice(2).vec();
    return same ? Result(in) : std::nullopt;
  }
  template <class Other>
  Result operator()(const Other&) const {
    return std::nullopt;
  }

  /// `sizes` with an extent of -1 replaced by what is left.
  Extents infer(Extents sizes) const {
    int64_t known = 1;
    for (const int64_t size : sizes) known *= size == -1 ? 1 : size;
    for (int64_t& size : sizes) size = size == -1 ? in.numel() / known : size;
    return sizes;
  }
};

}  // namespace

std::optional<at::Tensor> view_of(const ir::Op& op, const at::Tensor& in, int64_t micro_batch) {
  return std::visit(ViewOf{in, micro_batch}, op);
}

BuiltStep build_copy(const Layout& out) { return {std::make_unique<Copy>(), out}; }

BuiltStep build_padding(const StepRequest& request) {
  const auto pads = ir::zero_padding(request.node.op);
  if (!pads) return {};
  const Layout& in = request.inputs[0];
  const Layout out = dense_like(in, request.sizes);
  const bool cuts_all =
      std::any_of(out.sizes.begin(), out.sizes.end(), [](int64_t e) { return e == 0; });
  if (cuts_all || (in.codes && !request.tail.empty())) return {};
  const int zero = in.codes ? in.codes->zero() : 0;
  return tailed(std::make_unique<Padding>(*pads, zero), request.tail, out);
}

BuiltStep build_concat(const StepRequest& request) {
  const size_t rank = request.sizes.size();
  const auto signed_rank = static_cast<int64_t>(rank);
  const auto dim =
      static_cast<size_t>((request.node.as<ir::Concat>()->dim + signed_rank) % signed_rank);
  const size_t count = request.node.inputs.size();
  const Layout out = dense_like(request.inputs[0], request.sizes);
  const std::vector<size_t> order = memory_order(out);
  int64_t outer = 1;
  for (auto place = order.begin(); *place != dim; ++place) outer *= out.sizes[*place];
  Extents widths;
  for (size_t i = 0; i < count; ++i) {
    const Layout& in = request.inputs[i];
    const bool number = in.dtype == at::kFloat || in.codes;
    if (!number || !same_places(dense_like(out, in.sizes), in) || !(in.codes == out.codes))
      return {};
    widths.push_back(in.bytes() / outer);
  }
  auto step = std::make_unique<Concat>(outer, widths);
  if (out.codes && !request.tail.empty()) return {};
  return tailed(std::move(step), request.tail, out);
}

}  // namespace ptq::runtime
