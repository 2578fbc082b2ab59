#include "runtime/onednn/trainable_convolution.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "runtime/onednn/kernel.h"
#include "runtime/onednn/one_thread.h"

namespace ptq::runtime {
namespace {

using dnnl::memory;
using dnnl::prop_kind;
using Forward = dnnl::convolution_forward;
using ByInput = dnnl::convolution_backward_data;
using ByWeight = dnnl::convolution_backward_weights;
constexpr auto kDirect = dnnl::algorithm::convolution_direct;

/// [groups, out / groups, in / groups, h, w] where there are groups.
Extents grouped(Extents sizes, int64_t groups) {
  if (groups == 1) return sizes;
  sizes[0] /= groups;
  sizes.insert(sizes.begin(), groups);
  return sizes;
}

memory::desc any_format(const Extents& sizes) {
  return {sizes, memory::data_type::f32, memory::format_tag::any};
}

}  // namespace

/// What the descriptions of all three primitives have in common.
struct ConvolutionGeometry {
  explicit ConvolutionGeometry(const ConvolutionShape& shape)
      : in(onednn::describe(channels_last(shape.in))),
        out(onednn::describe(channels_last(shape.out))),
        weight(any_format(grouped(shape.weight, shape.groups))),
        bias(onednn::describe(row_major({shape.out[1]}))),
        stride(shape.stride),
        holes(shape.dilation),
        padding(shape.padding) {
    for (int64_t& hole : holes) --hole;
    // Windows may end before the padding does.
    for (size_t i = 0; i < 2; ++i) {
      const int64_t reach = (shape.weight[2 + i] - 1) * shape.dilation[i];
      const int64_t last = (shape.out[2 + i] - 1) * stride[i] + reach + 1;
      padding_end.push_back(last - shape.in[2 + i] - padding[i]);
    }
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  }

  memory::desc in, out, weight, bias;
  Extents stride, holes, padding, padding_end;
  dnnl::primitive_attr attributes;
};

namespace {

Forward::primitive_desc describe_forward(const ConvolutionGeometry& g) {
#if DNNL_VERSION_MAJOR >= 3
  return {onednn::engine(),
          prop_kind::forward_training,
          kDirect,
          g.in,
          g.weight,
          g.bias,
          g.out,
          g.stride,
          g.holes,
          g.padding,
          g.padding_end,
          g.attributes};
#else
  return {Forward::desc(prop_kind::forward_training, kDirect, g.in, g.weight, g.bias, g.out,
                        g.stride, g.holes, g.padding, g.padding_end),
          g.attributes, onednn::engine()};
#endif
}

/// Both derivatives name the values, or derivatives by them, in the order of the convolution.
template <class Primitive>
typename Primitive::primitive_desc describe_backward(const ConvolutionGeometry& g,
                                                     const Forward::primitive_desc& forward) {
#if DNNL_VERSION_MAJOR >= 3
  return {onednn::engine(), kDirect,   g.in,          g.weight, g.out,       g.stride,
          g.holes,          g.padding, g.padding_end, forward,  g.attributes};
#else
  return {typename Primitive::desc(kDirect, g.in, g.weight, g.out, g.stride, g.holes, g.padding,
                                   g.padding_end),
          g.attributes, onednn::engine(), forward};
#endif
}

/// oneDNN takes memory it only reads as memory it may write.
void* data_of(const float* numbers) { return const_cast<float*>(numbers); }

memory memory_at(const memory::desc& description, const float* numbers) {
  return {description, onednn::engine(), data_of(numbers)};
}

/// On one thread: waking others would take longer than a weight does.
void reorder(memory from, memory to) {
  const OneThread one_thread;
  dnnl::stream stream(onednn::engine());
  dnnl::reorder(from, to).execute(stream, from, to);
  stream.wait();
}

}  // namespace

struct TrainableConvolution::State {
  explicit State(const ConvolutionShape& given)
      : shape(given),
        geometry(given),
        forward(describe_forward(geometry)),
        by_input(describe_backward<ByInput>(geometry, forward)),
        by_weight(describe_backward<ByWeight>(geometry, forward)),
        plain(onednn::describe(row_major(grouped(given.weight, given.groups)))),
        for_forward(forward.weights_desc(), onednn::engine()),
        for_by_input(by_input.weights_desc(), onednn::engine()),
        run_forward(forward),
        run_by_input(by_input),
        run_by_weight(by_weight) {}

  ConvolutionShape shape;
  ConvolutionGeometry geometry;
  Forward::primitive_desc forward;
  ByInput::primitive_desc by_input;
  ByWeight::primitive_desc by_weight;
  memory::desc plain;
  memory for_forward, for_by_input;
  Forward run_forward;
  ByInput run_by_input;
  ByWeight run_by_weight;
};

TrainableConvolution::TrainableConvolution(const ConvolutionShape& shape) {
  const OneThread one_thread;
  state_ = std::make_shared<State>(shape);
}

void TrainableConvolution::set_weight(const at::Tensor& weight) {
  const at::Tensor dense = weight.contiguous();
  reorder(memory_at(state_->plain, dense.data_ptr<float>()), state_->for_forward);
  reorder(memory_at(state_->plain, dense.data_ptr<float>()), state_->for_by_input);
}

int64_t TrainableConvolution::scratch_bytes() const {
  return static_cast<int64_t>(std::max({state_->forward.scratchpad_desc().get_size(),
                                        state_->by_input.scratchpad_desc().get_size(),
                                        state_->by_weight.scratchpad_desc().get_size()}));
}

int64_t TrainableConvolution::gradient_elements() const {
  return static_cast<int64_t>(state_->by_weight.diff_weights_desc().get_size() / sizeof(float));
}

at::Tensor TrainableConvolution::unpacked(const at::Tensor& gradient) const {
  at::Tensor weight = at::empty(state_->shape.weight);
  reorder(memory_at(state_->by_weight.diff_weights_desc(), gradient.data_ptr<float>()),
          memory_at(state_->plain, weight.data_ptr<float>()));
  return weight;
}

namespace {

template <class Primitive>
TrainableConvolution::Run bound(const Primitive& primitive, onednn::Arguments arguments) {
  return [primitive, arguments = std::move(arguments), stream = dnnl::stream(onednn::engine())] {
    primitive.execute(stream, arguments);
  };
}

}  // namespace

TrainableConvolution::Run TrainableConvolution::forward(const float* x, const float* bias, float* y,
                                                        void* scratch) const {
  const State& s = *state_;
  const memory working(s.forward.scratchpad_desc(), onednn::engine(), scratch);
  return bound(s.run_forward, {{DNNL_ARG_SRC, memory_at(s.geometry.in, x)},
                               {DNNL_ARG_WEIGHTS, s.for_forward},
                               {DNNL_ARG_BIAS, memory_at(s.geometry.bias, bias)},
                               {DNNL_ARG_DST, memory_at(s.geometry.out, y)},
                               {DNNL_ARG_SCRATCHPAD, working}});
}

TrainableConvolution::Run TrainableConvolution::by_input(const float* by_y, float* by_x,
                                                         void* scratch) const {
  const State& s = *state_;
  const memory working(s.by_input.scratchpad_desc(), onednn::engine(), scratch);
  return bound(s.run_by_input, {{DNNL_ARG_DIFF_DST, memory_at(s.geometry.out, by_y)},
                                {DNNL_ARG_WEIGHTS, s.for_by_input},
                                {DNNL_ARG_DIFF_SRC, memory_at(s.geometry.in, by_x)},
                                {DNNL_ARG_SCRATCHPAD, working}});
}

TrainableConvolution::Run TrainableConvolution::by_weight(const float* x, const float* by_y,
                                                          float* by_weight, void* scratch) const {
  const State& s = *state_;
  const memory working(s.by_weight.scratchpad_desc(), onednn::engine(), scratch);
  return bound(s.run_by_weight,
               {{DNNL_ARG_SRC, memory_at(s.geometry.in, x)},
                {DNNL_ARG_DIFF_DST, memory_at(s.geometry.out, by_y)},
                {DNNL_ARG_DIFF_WEIGHTS, memory_at(s.by_weight.diff_weights_desc(), by_weight)},
                {DNNL_ARG_SCRATCHPAD, working}});
}

}  // namespace ptq::runtime
