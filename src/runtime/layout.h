#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "quant/integer_arithmetic.h"

namespace ptq::runtime {

using Extents = std::vector<int64_t>;

/// Where the elements of a value lie, in elements of `dtype`: what a plan knows before any memory.
struct Layout {
  Extents sizes, strides;
  at::ScalarType dtype = at::kFloat;
  /// Of codes, which lie as bytes (dtype kByte): what they stand for.
  std::optional<quant::ByteFormat> codes = {};

  int64_t elements() const;
  /// From the first element to just past the last one; 0 without elements.
  int64_t bytes() const;
  bool operator==(const Layout& other) const {
    return sizes == other.sizes && strides == other.strides && dtype == other.dtype &&
           codes == other.codes;
  }
};

/// Last dimension densest.
Layout row_major(Extents sizes);
/// Channels densest, then width, height, images; four dimensions.
Layout channels_last(Extents sizes);
/// The same for three or four dimensions.
Layout channels_innermost(Extents sizes);
/// `layout` as codes of `format`.
Layout as_codes(Layout layout, const quant::ByteFormat& format);
/// `layout` as floats.
Layout as_floats(Layout layout);
/// The order of dimensions of `like` (same rank), densely.
Layout dense_like(const Layout& like, Extents sizes);

/// Whether both put every element in the same place; extents of 1 may have any stride.
bool same_places(const Layout& a, const Layout& b);
bool is_row_major(const Layout& layout);
bool is_channels_last(const Layout& layout);
/// Every element has an address of its own and no address between them is left out.
bool is_dense(const Layout& layout);

/// Dimensions from outermost to densest.
std::vector<size_t> memory_order(const Layout& layout);

Layout layout_of(const at::Tensor& tensor);
at::Tensor tensor_at(void* data, const Layout& layout);

/// A tensor without memory, for asking LibTorch what a view would look like.
at::Tensor shadow(const Layout& layout);

}  // namespace ptq::runtime
