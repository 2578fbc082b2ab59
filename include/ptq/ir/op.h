#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ptq/ir/dim.h"
#include "ptq/ir/layers.h"

/// The operations of a graph: a closed set of typed structs. Each names itself (`kName`) and lists
/// its attributes once (`attributes`), from which printing, comparing and batch reconciliation
/// follow. A tensor that an operation owns is a Parameter; its activations are the node's inputs.
namespace ptq::ir {

/// An operation without attributes.
struct Plain {
  template <class Self, class Visit>
  static void attributes(Self&, Visit&&) {}
};

struct Relu : Plain {
  static constexpr std::string_view kName = "relu";
};
/// min(relu(x), ceiling), which is 6 unless equalization has scaled channels.
struct Relu6 : Plain {
  static constexpr std::string_view kName = "relu6";
  /// One number a channel, of a shape that broadcasts to the value: [C, 1, 1] for images.
  std::optional<Parameter> ceiling = std::nullopt;
};
struct Sigmoid : Plain {
  static constexpr std::string_view kName = "sigmoid";
};
struct Silu : Plain {
  static constexpr std::string_view kName = "silu";
};
struct Hardswish : Plain {
  static constexpr std::string_view kName = "hardswish";
};
struct Hardsigmoid : Plain {
  static constexpr std::string_view kName = "hardsigmoid";
};

/// GELU by the error function, or by its tanh approximation.
struct Gelu {
  static constexpr std::string_view kName = "gelu";
  bool tanh_approximation = false;
  template <class Self, class Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("tanh_approximation", self.tanh_approximation);
  }
};

struct LeakyRelu {
  static constexpr std::string_view kName = "leaky_relu";
  double negative_slope = 0.01;
  template <class Self, class Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("negative_slope", self.negative_slope);
  }
};

struct Softmax {
  static constexpr std::string_view kName = "softmax";
  int64_t dim = -1;
  template <class Self, class Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("dim", self.dim);
  }
};

/// Elementwise arithmetic on two values, broadcasting.
struct Add : Plain {
  static constexpr std::string_view kName = "add";
};
struct Sub : Plain {
  static constexpr std::string_view kName = "sub";
};
struct Mul : Plain {
  static constexpr std::string_view kName = "mul";
};
struct Div : Plain {
  static constexpr std::string_view kName = "div";
};

/// Elementwise arithmetic with a number.
struct AddScalar {
  static constexpr std::string_view kName = "add_scalar";
  double value = 0;
  template <class Self, class Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("value", self.value);
  }
};
struct MulScalar {
  static constexpr std::string_view kName = "mul_scalar";
  double value = 1;
  template <class Self, class Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("value", self.value);
  }
};

/// Matrix product over the last two dimensions, batch dimensions broadcast.
struct MatMul : Plain {
  static constexpr std::string_view kName = "matmul";
};

struct Concat {
  static constexpr std::string_view kName = "concat";
  int64_t dim = 1;
  template <class Self, class Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("dim", self.dim);
  }
};

struct MaxPool {
  static constexpr std::string_view kName = "max_pool";
  Ints kernel, stride, padding, dilation;
  bool ceil_mode = false;
  template <class Self, class Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("kernel", self.kernel), visit("stride", self.stride), visit("padding", self.padding);
    visit("dilation", self.dilation), visit("ceil_mode", self.ceil_mode);
  }
};

struct AvgPool {
  static constexpr std::string_view kName = "avg_pool";
  Ints kernel, stride, padding;
  bool ceil_mode = false;
  bool count_include_pad = true;
  std::optional<int64_t> divisor_override;
  template <class Self, class Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("kernel", self.kernel), visit("stride", self.stride), visit("padding", self.padding);
    visit("ceil_mode", self.ceil_mode), visit("count_include_pad", self.count_include_pad);
    visit("divisor_override", self.divisor_override);
  }
};

struct AdaptiveAvgPool {
  static constexpr std::string_view kName = "adaptive_avg_pool";
  Ints output_size;
  template <class Self, class Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("output_size", self.output_size);
  }
};

struct Mean {
  static constexpr std::string_view kName = "mean";
  Ints dims;
  bool keepdim = false;
  template <class Self, class Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("dims", self.dims), visit("keepdim", self.keepdim);
  }
};

/// view, reshape, flatten, squeeze, unsqueeze: same elements in the same order.
struct Reshape {
  static constexpr std::string_view kName = "reshape";
  Dims shape;
  template <class Self, class Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("shape", self.shape);
  }
};

/// transpose, permute: output dimension i is input dimension dims[i].
struct Permute {
  static constexpr std::string_view kName = "permute";
  Ints dims;
  template <class Self, class Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("dims", self.dims);
  }
};

struct Expand {
  static constexpr std::string_view kName = "expand";
  Dims shape;
  template <class Self, class Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("shape", self.shape);
  }
};

/// One index of a dimension, which disappears.
struct Select {
  static constexpr std::string_view kName = "select";
  int64_t dim = 0;
  Dim index;
  template <class Self, class Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("dim", self.dim), visit("index", self.index);
  }
};

/// start, start + step, ... below end, of one dimension. chunk, split and narrow become this.
struct Slice {
  static constexpr std::string_view kName = "slice";
  int64_t dim = 0;
  Dim start, end;
  int64_t step = 1;
  template <class Self, class Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("dim", self.dim), visit("start", self.start), visit("end", self.end);
    visit("step", self.step);
  }
};

/// A tensor that does not depend on the images (class token, position embedding).
struct Constant {
  static constexpr std::string_view kName = "constant";
  Parameter value;
  template <class Self, class Visit>
  static void attributes(Self&, Visit&&) {}
};

/// Quantize and dequantize a value with an activation quantizer of the table.
struct FakeQuantize {
  static constexpr std::string_view kName = "fake_quantize";
  QuantizerId quantizer = kNoQuantizer;
  template <class Self, class Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("quantizer", self.quantizer);
  }
};

/// Position of an absent tensor in InputRefs.
inline constexpr int kNoInput = -1;

/// One argument of an Opaque operator: a constant, or positions in the node's inputs.
struct InputRef {
  int index = 0;
};
struct InputRefs {
  std::vector<int> indices;
};
using Argument = std::variant<std::monostate, InputRef, InputRefs, bool, Dim, double, std::string,
                              Dims, std::vector<double>, std::vector<bool>, at::Tensor>;

/// A LibTorch operator nobody lowered, called through the dispatcher. Passes treat it as a wall and
/// exporters refuse it by name. `overload` is the part of the schema name after the dot; `result`
/// says which of the operator's results, lists flattened, the node gives.
struct Opaque {
  static constexpr std::string_view kName = "opaque";
  std::string schema, overload;
  std::vector<Argument> arguments;
  int64_t result = 0;
  template <class Self, class Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("schema", self.schema), visit("overload", self.overload);
    visit("arguments", self.arguments), visit("result", self.result);
  }
};

using Op =
    std::variant<Conv, ConvTranspose, Linear, BatchNorm, LayerNorm, Relu, Relu6, Sigmoid, Silu,
                 Hardswish, Hardsigmoid, Gelu, LeakyRelu, Softmax, Add, Sub, Mul, Div, AddScalar,
                 MulScalar, MatMul, Concat, MaxPool, AvgPool, AdaptiveAvgPool, Mean, Reshape,
                 Permute, Expand, Select, Slice, Constant, FakeQuantize, Opaque>;

/// The operation's word in the canonical text: "conv", "relu", ...
std::string_view op_name(const Op& op);

/// The weight and bias of a Conv, ConvTranspose or Linear; nullptr for anything else.
Weighted* weighted(Op& op);
const Weighted* weighted(const Op& op);

/// Axis of the weight that runs over output channels: 0, or 1 for ConvTranspose.
int64_t output_channel_axis(const Op& op);

}  // namespace ptq::ir
