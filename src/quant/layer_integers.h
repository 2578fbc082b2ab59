#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "ptq/ir/graph.h"
#include "ptq/quant/quantizer.h"

namespace ptq::quant {

/// A tensor as integers: value = (codes - zero_point) * scale, in float32, bit for bit what
/// fake_quantize_weight and fake_quantize_bias give.
struct IntegerTensor {
  /// The smallest of int8, uint8, int16 and int32 that holds the format; int32 for a bias.
  at::Tensor codes;
  /// float32; a scalar, or of as many dimensions as `codes`, with the channels along their axis.
  at::Tensor scale;
  /// As `scale`; int32, or float32 where HQO found zero points that are not integers. Undefined
  /// for symmetric quantizers.
  at::Tensor zero_point;
};

/// The integers that hold the codes of `format`.
at::ScalarType container(const IntegerFormat& format);

/// Weight of a layer that has a weight quantizer, whose scale is known.
IntegerTensor integer_weight(const ir::Node& layer, const QuantizerTable& table);

/// Bias of a layer that has a bias and a bias quantizer.
IntegerTensor integer_bias(const ir::Index& index, const ir::Node& layer,
                           const QuantizerTable& table);

/// A zero point as int32 where it is whole numbers, else as it is.
at::Tensor whole_if_possible(const at::Tensor& zero_point);

}  // namespace ptq::quant
