#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Operations that own tensors, and what they own.
namespace ptq::ir {

using Ints = std::vector<int64_t>;

/// Index into quant::QuantizerTable; kNoQuantizer where nothing is quantized.
using QuantizerId = int;
inline constexpr QuantizerId kNoQuantizer = -1;

/// A weight or buffer with the dotted name it has in the module (`layer1.0.conv1.weight`). The
/// tensor is a shared handle: replace `value`, never write into it.
struct Parameter {
  std::string name;
  at::Tensor value;
};

/// What Conv, ConvTranspose and Linear have in common. `bias_quantizer` may be set while `bias` is
/// empty: a bias that a pass adds later is then quantized.
struct Weighted {
  Parameter weight;
  std::optional<Parameter> bias;
  QuantizerId weight_quantizer = kNoQuantizer;
  QuantizerId bias_quantizer = kNoQuantizer;
};

/// Convolution over 1, 2 or 3 spatial dimensions; weight [out, in / groups, k...].
struct Conv : Weighted {
  static constexpr std::string_view kName = "conv";
  Ints stride, padding, dilation;
  int64_t groups = 1;
  template <class Self, class Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("stride", self.stride), visit("padding", self.padding);
    visit("dilation", self.dilation), visit("groups", self.groups);
  }
};

/// Transposed convolution; weight [in, out / groups, k...].
struct ConvTranspose : Weighted {
  static constexpr std::string_view kName = "conv_transpose";
  Ints stride, padding, output_padding, dilation;
  int64_t groups = 1;
  template <class Self, class Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("stride", self.stride), visit("padding", self.padding);
    visit("output_padding", self.output_padding);
    visit("dilation", self.dilation), visit("groups", self.groups);
  }
};

/// y = x weightᵀ + bias over the last dimension; weight [out, in].
struct Linear : Weighted {
  static constexpr std::string_view kName = "linear";
  template <class Self, class Visit>
  static void attributes(Self&, Visit&&) {}
};

/// Batch normalization with running statistics over dimension 1.
struct BatchNorm {
  static constexpr std::string_view kName = "batch_norm";
  std::optional<Parameter> weight, bias;
  Parameter running_mean, running_var;
  double eps = 1e-5;
  template <class Self, class Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("eps", self.eps);
  }
};

struct LayerNorm {
  static constexpr std::string_view kName = "layer_norm";
  std::optional<Parameter> weight, bias;
  Ints normalized_shape;
  double eps = 1e-5;
  template <class Self, class Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("normalized_shape", self.normalized_shape), visit("eps", self.eps);
  }
};

}  // namespace ptq::ir
