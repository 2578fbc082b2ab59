#include <algorithm>

#include "runtime/integer/layer_step.h"
#include "runtime/plan/fusion.h"
#include "runtime/steps/means.h"
#include "runtime/steps/step.h"
#include "runtime/steps/tail_from_node.h"

namespace ptq::runtime {
namespace {

/// Some stride of a real dimension is 0.
bool is_expanded(const Layout& layout) {
  for (size_t dim = 0; dim < layout.sizes.size(); ++dim) {
    if (layout.sizes[dim] > 1 && layout.strides[dim] == 0) return true;
  }
  return false;
}

struct WantedInputs {
  const std::vector<Layout>& given;
  using Result = std::vector<Layout>;

  Result operator()(const ir::Conv&) const { return image(); }
  Result operator()(const ir::ConvTranspose&) const { return given[0].codes ? image() : given; }
  Result operator()(const ir::MaxPool&) const { return image(); }
  Result operator()(const ir::AvgPool&) const { return pooled(); }
  Result operator()(const ir::AdaptiveAvgPool&) const { return pooled(); }
  Result operator()(const ir::Mean& op) const {
    return {same_type(layout_for_mean(given[0].sizes, op.dims), given[0])};
  }
  Result operator()(const ir::FakeQuantize&) const { return dense(); }
  Result operator()(const ir::Linear&) const { return rows(); }
  Result operator()(const ir::LayerNorm&) const { return rows(); }
  Result operator()(const ir::Softmax&) const { return rows(); }
  Result operator()(const ir::Concat&) const {
    Result wanted = given;
    const Layout& first = given.front();
    const Layout like = is_dense(first) ? first : row_major(first.sizes);
    for (Layout& layout : wanted) layout = same_type(dense_like(like, layout.sizes), layout);
    return wanted;
  }
  Result operator()(const ir::MatMul&) const {
    Result wanted = given;
    for (Layout& layout : wanted) {
      const size_t rank = layout.sizes.size();
      const bool unit =
          rank > 1 && (layout.strides[rank - 1] == 1 || layout.strides[rank - 2] == 1);
      if (!unit || is_expanded(layout)) layout = same_type(row_major(layout.sizes), layout);
    }
    return wanted;
  }
  /// Row by row, as models have values: some operators read memory. Padding works in any layout.
  Result operator()(const ir::Opaque& op) const {
    Result wanted = given;
    if (op.schema == "aten::constant_pad_nd") return wanted;
    for (Layout& layout : wanted) {
      if (is_dense(layout)) layout = same_type(row_major(layout.sizes), layout);
    }
    return wanted;
  }
  template <class Other>
  Result operator()(const Other&) const {
    return given;
  }

 private:
  static Layout same_type(Layout layout, const Layout& like) {
    layout.dtype = like.dtype, layout.codes = like.codes;
    return layout;
  }
  Result image() const {
    const size_t rank = given[0].sizes.size();
    if (rank != 4 && !(rank == 3 && given[0].codes)) return given;
    return {same_type(channels_innermost(given[0].sizes), given[0])};
  }
  Result pooled() const {
    const size_t rank = given[0].sizes.size();
    if (rank != 4 && rank != 3) return given;
    return {same_type(channels_innermost(given[0].sizes), given[0])};
  }
  Result dense() const {
    return {is_dense(given[0]) ? given[0] : same_type(row_major(given[0].sizes), given[0])};
  }
  Result rows() const {
    const Layout& in = given[0];
    const bool fits = is_dense(in) && memory_order(in).back() == in.sizes.size() - 1;
    return {fits ? in : same_type(row_major(in.sizes), in)};
  }
};

struct Build {
  const StepRequest& request;

  BuiltStep operator()(const ir::Conv&) const { return build_conv(request); }
  BuiltStep operator()(const ir::Linear&) const { return build_linear(request); }
  BuiltStep operator()(const ir::MatMul&) const { return build_matmul(request); }
  BuiltStep operator()(const ir::MaxPool&) const { return build_max_pool(request); }
  BuiltStep operator()(const ir::AvgPool&) const { return build_mean(request); }
  BuiltStep operator()(const ir::AdaptiveAvgPool&) const { return build_mean(request); }
  BuiltStep operator()(const ir::Mean&) const { return build_mean(request); }
  BuiltStep operator()(const ir::Softmax&) const { return build_softmax(request); }
  BuiltStep operator()(const ir::LayerNorm&) const { return build_layer_norm(request); }
  BuiltStep operator()(const ir::Concat&) const { return build_concat(request); }
  BuiltStep operator()(const ir::Opaque&) const { return build_padding(request); }
  BuiltStep operator()(const ir::FakeQuantize& op) const {
    const bool elementwise = request.table.at(op.quantizer).is_static_per_tensor();
    return elementwise ? build_elementwise(request) : build_value_quantizer(request);
  }
  template <class Other>
  BuiltStep operator()(const Other&) const {
    return is_elementwise(request.node, request.table) ? build_elementwise(request) : BuiltStep{};
  }
};

}  // namespace

std::vector<Layout> wanted_inputs(const ir::Node& node, const std::vector<Layout>& given) {
  return given.empty() ? given : std::visit(WantedInputs{given}, node.op);
}

BuiltStep build_step_on_codes(const StepRequest& request) {
  if (request.integers != nullptr) return integer::build_layer(request);
  if (is_elementwise(request.node, request.table)) return build_elementwise(request);
  if (!request.inputs[0].codes) return {};
  if (request.node.is<ir::MatMul>()) {
    return request.inputs[1].codes ? integer::build_product(request) : BuiltStep{};
  }
  if (request.node.is<ir::Concat>()) return build_concat(request);
  if (request.node.is<ir::Opaque>()) return build_padding(request);
  if (request.node.is<ir::MaxPool>()) return integer::build_max_pool(request);
  return build_mean(request);
}

BuiltStep build_step(const StepRequest& request) {
  const bool numbers =
      std::all_of(request.inputs.begin(), request.inputs.end(),
                  [](const Layout& layout) { return layout.dtype == at::kFloat || layout.codes; });
  if (numbers) {
    BuiltStep built = std::visit(Build{request}, request.node.op);
    if (built.step != nullptr) return built;
  }
  StepRequest plain = request;
  // LibTorch runs the node itself: what it put at the front of the tail goes.
  if (is_elementwise(request.node, request.table)) {
    plain.tail.erase(plain.tail.begin(), plain.tail.begin() + tail_length(request.node));
  }
  return build_fallback(plain);
}

}  // namespace ptq::runtime
