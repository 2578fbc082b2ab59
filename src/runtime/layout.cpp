#include "runtime/layout.h"

#include <ATen/ops/empty_strided.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <numeric>

namespace ptq::runtime {
namespace {

/// Dense strides for dimensions listed from outermost to densest.
Layout dense(Extents sizes, const std::vector<size_t>& order) {
  Extents strides(sizes.size(), 1);
  int64_t stride = 1;
  for (auto dim = order.rbegin(); dim != order.rend(); ++dim) {
    strides[*dim] = stride;
    stride *= std::max<int64_t>(sizes[*dim], 1);
  }
  return {std::move(sizes), std::move(strides), at::kFloat, {}};
}

std::vector<size_t> row_major_order(size_t rank) {
  std::vector<size_t> order(rank);
  std::iota(order.begin(), order.end(), size_t{0});
  return order;
}

}  // namespace

int64_t Layout::elements() const {
  return std::accumulate(sizes.begin(), sizes.end(), int64_t{1}, std::multiplies<>());
}

int64_t Layout::bytes() const {
  if (elements() == 0) return 0;
  int64_t last = 0;
  for (size_t dim = 0; dim < sizes.size(); ++dim) last += (sizes[dim] - 1) * strides[dim];
  return (last + 1) * static_cast<int64_t>(c10::elementSize(dtype));
}

Layout row_major(Extents sizes) {
  const std::vector<size_t> order = row_major_order(sizes.size());
  return dense(std::move(sizes), order);
}

Layout channels_last(Extents sizes) { return dense(std::move(sizes), {0, 2, 3, 1}); }

Layout channels_innermost(Extents sizes) {
  if (sizes.size() == 3) return dense(std::move(sizes), {0, 2, 1});
  return channels_last(std::move(sizes));
}

Layout as_codes(Layout layout, const quant::ByteFormat& format) {
  layout.dtype = at::kByte, layout.codes = format;
  return layout;
}

Layout as_floats(Layout layout) {
  layout.dtype = at::kFloat, layout.codes.reset();
  return layout;
}

Layout dense_like(const Layout& like, Extents sizes) {
  Layout layout = dense(std::move(sizes), memory_order(like));
  layout.dtype = like.dtype, layout.codes = like.codes;
  return layout;
}

bool same_places(const Layout& a, const Layout& b) {
  if (a.sizes != b.sizes) return false;
  for (size_t dim = 0; dim < a.sizes.size(); ++dim) {
    if (a.sizes[dim] != 1 && a.strides[dim] != b.strides[dim]) return false;
  }
  return true;
}

bool is_row_major(const Layout& layout) { return same_places(layout, row_major(layout.sizes)); }

bool is_channels_last(const Layout& layout) {
  return layout.sizes.size() == 4 && same_places(layout, channels_last(layout.sizes));
}

bool is_dense(const Layout& layout) {
  return same_places(layout, dense(layout.sizes, memory_order(layout)));
}

std::vector<size_t> memory_order(const Layout& layout) {
  std::vector<size_t> order = row_major_order(layout.sizes.size());
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return layout.strides[a] > layout.strides[b]; });
  return order;
}

Layout layout_of(const at::Tensor& tensor) {
  return {tensor.sizes().vec(), tensor.strides().vec(), tensor.scalar_type(), {}};
}

at::Tensor tensor_at(void* data, const Layout& layout) {
  return at::from_blob(data, layout.sizes, layout.strides, at::TensorOptions().dtype(layout.dtype));
}

at::Tensor shadow(const Layout& layout) {
  return at::empty_strided(layout.sizes, layout.strides,
                           at::TensorOptions().dtype(layout.dtype).device(at::kMeta));
}

}  // namespace ptq::runtime
