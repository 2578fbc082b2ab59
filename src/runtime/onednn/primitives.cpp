#include <ATen/ops/zeros.h>

#include "runtime/onednn/kernel.h"

namespace ptq::runtime::onednn {
namespace {

using dnnl::memory;
using dnnl::prop_kind;
constexpr auto kFloat = memory::data_type::f32;

// oneDNN 3 calls what 2 has as the second form of pooling by its plain name.
#if DNNL_VERSION_MAJOR >= 3
using Pooling2 = dnnl::pooling_forward;
#else
using Pooling2 = dnnl::pooling_v2_forward;
#endif

/// What oneDNN 2 makes in two steps, with a description of the operation between, and 3 in one.
template <class Primitive, class... Arguments>
typename Primitive::primitive_desc describe_primitive(const dnnl::primitive_attr& attributes,
                                                      const Arguments&... arguments) {
#if DNNL_VERSION_MAJOR >= 3
  return {engine(), arguments..., attributes};
#else
  return {typename Primitive::desc(arguments...), attributes, engine()};
#endif
}

/// oneDNN counts dilation from 0.
Extents holes(const Extents& dilation) {
  Extents result = dilation;
  for (int64_t& extent : result) --extent;
  return result;
}

memory::desc any_format(const Extents& sizes) { return {sizes, kFloat, memory::format_tag::any}; }

/// [groups, out / groups, in / groups, h, w] where there are groups.
Extents weight_sizes(const at::Tensor& weight, int64_t groups) {
  Extents sizes = weight.sizes().vec();
  if (groups == 1) return sizes;
  sizes[0] /= groups;
  sizes.insert(sizes.begin(), groups);
  return sizes;
}

template <class Descriptor>
Kernel::State state_of(const Descriptor& descriptor, PostOps post) {
  Kernel::State state;
  state.first = descriptor.src_desc();
  state.out = descriptor.dst_desc();
  state.scratch = descriptor.scratchpad_desc();
  state.fixed = std::move(post.arguments);
  state.tail_carried = post.carried;
  state.implementation = descriptor.impl_info_str();
  return state;
}

Kernel finish(Kernel::State state) {
  return Kernel(std::make_shared<const Kernel::State>(std::move(state)));
}

memory vector_memory(const at::Tensor& vector, const memory::desc& description) {
  return pack(vector.contiguous(), description, description);
}

void set_weight_and_bias(Kernel::State& state, const at::Tensor& weight, const memory::desc& plain,
                         const memory::desc& packed, const at::Tensor& bias) {
  state.fixed[DNNL_ARG_WEIGHTS] = pack(weight.contiguous(), plain, packed);
  if (bias.defined()) {
    state.fixed[DNNL_ARG_BIAS] = vector_memory(bias, describe(row_major(bias.sizes().vec())));
  }
}

}  // namespace

Kernel convolution(const Layout& in, const Layout& out, const at::Tensor& weight,
                   const at::Tensor& bias, const Window& window, int64_t groups, const Tail& tail) {
  const Extents sizes = weight_sizes(weight, groups);
  const memory::desc bias_description =
      bias.defined() ? describe(row_major({weight.size(0)})) : memory::desc();
  PostOps post = post_ops(tail, 4, 1);
  const auto descriptor = describe_primitive<dnnl::convolution_forward>(
      post.attributes, prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
      describe(in), any_format(sizes), bias_description, describe(out), window.stride,
      holes(window.dilation), window.padding, window.padding_end);
  Kernel::State state = state_of(descriptor, std::move(post));
  state.primitive = dnnl::convolution_forward(descriptor);
  set_weight_and_bias(state, weight, describe(row_major(sizes)), descriptor.weights_desc(), bias);
  return finish(std::move(state));
}

Kernel linear(int64_t rows, const at::Tensor& weight, const at::Tensor& bias, const Tail& tail) {
  const int64_t out_features = weight.size(0), in_features = weight.size(1);
  const Layout transposed{{in_features, out_features}, {1, in_features}};
  const memory::desc bias_description =
      bias.defined() ? describe(row_major({1, out_features})) : memory::desc();
  PostOps post = post_ops(tail, 2, 1);
  const auto descriptor = describe_primitive<dnnl::matmul>(
      post.attributes, describe(row_major({rows, in_features})), any_format(transposed.sizes),
      bias_description, describe(row_major({rows, out_features})));
  Kernel::State state = state_of(descriptor, std::move(post));
  state.primitive = dnnl::matmul(descriptor);
  set_weight_and_bias(state, weight, describe(transposed), descriptor.weights_desc(),
                      bias.defined() ? bias.unsqueeze(0) : bias);
  return finish(std::move(state));
}

Kernel matmul(const Layout& first, const Layout& second, const Layout& out, const Tail& tail) {
  const int rank = static_cast<int>(out.sizes.size());
  PostOps post = post_ops(tail, rank, rank - 1);
  const auto descriptor = describe_primitive<dnnl::matmul>(post.attributes, describe(first),
                                                           describe(second), describe(out));
  Kernel::State state = state_of(descriptor, std::move(post));
  state.second = descriptor.weights_desc();
  state.primitive = dnnl::matmul(descriptor);
  return finish(std::move(state));
}

Kernel max_pool(const Layout& in, const Layout& out, const Window& window) {
  PostOps post = post_ops({}, 4, 1);
  const Extents no_holes(window.kernel.size(), 0);
  const auto descriptor = describe_primitive<Pooling2>(
      post.attributes, prop_kind::forward_inference, dnnl::algorithm::pooling_max, describe(in),
      describe(out), window.stride, window.kernel, no_holes, window.padding, window.padding_end);
  Kernel::State state = state_of(descriptor, std::move(post));
  state.primitive = Pooling2(descriptor);
  return finish(std::move(state));
}

}  // namespace ptq::runtime::onednn
