#include "runtime/integer/layer_geometry.h"

#include <ATen/ops/zeros.h>

namespace ptq::runtime::integer {
namespace {

/// The last two of one or two extents; a missing one is `missing`.
struct Plane {
  int64_t y, x;
};
Plane plane(const Extents& extents, int64_t missing) {
  return extents.size() == 1 ? Plane{missing, extents[0]} : Plane{extents[0], extents[1]};
}

template <class Layer>
Windows windows_of_layer(const Layer& op, const Extents& in, const Extents& out, bool transposed) {
  const auto spatial = [](const Extents& sizes) {
    return plane(Extents(sizes.begin() + 2, sizes.end()), 1);
  };
  const Plane input = spatial(in), output = spatial(out),
              kernel = spatial(op.weight.value.sizes().vec());
  const Plane stride = plane(op.stride, 1), padding = plane(op.padding, 0),
              dilation = plane(op.dilation, 1);
  return {in[0],    in[1],    input.y,   input.x,   output.y,   output.x,   kernel.y,  kernel.x,
          stride.y, stride.x, padding.y, padding.x, dilation.y, dilation.x, op.groups, transposed};
}

}  // namespace

Windows windows_of(const ir::Op& op, const Layout& in, const Extents& out_sizes) {
  if (const auto* conv = std::get_if<ir::Conv>(&op)) {
    return windows_of_layer(*conv, in.sizes, out_sizes, false);
  }
  if (const auto* conv = std::get_if<ir::ConvTranspose>(&op)) {
    return windows_of_layer(*conv, in.sizes, out_sizes, true);
  }
  const int64_t features = in.sizes.back();
  return {in.elements() / features, features, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, false};
}

at::Tensor rows_of(const ir::Op& op, const at::Tensor& weight) {
  if (std::holds_alternative<ir::Linear>(op)) return weight.contiguous();
  at::Tensor by_output = weight.dim() == 3 ? weight.unsqueeze(2) : weight;
  if (const auto* conv = std::get_if<ir::ConvTranspose>(&op)) {
    const int64_t groups = conv->groups, outputs = by_output.size(1);
    by_output = by_output
                    .reshape({groups, by_output.size(0) / groups, outputs, by_output.size(2),
                              by_output.size(3)})
                    .transpose(1, 2)
                    .reshape({groups * outputs, by_output.size(0) / groups, by_output.size(2),
                              by_output.size(3)});
  }
  return by_output.permute({0, 2, 3, 1}).reshape({by_output.size(0), -1}).contiguous();
}

Layout output_of(const ir::Op& op, const Layout& in, const Extents& out_sizes) {
  if (std::holds_alternative<ir::Linear>(op)) {
    Layout out = dense_like(in, out_sizes);
    out.dtype = at::kFloat, out.codes.reset();
    return out;
  }
  return channels_innermost(out_sizes);
}

MergedGroups merge_groups(const at::Tensor& rows, const Windows& windows,
                          const std::vector<int32_t>& weight_zero, int64_t columns_wanted) {
  const int64_t outputs = rows.size(0) / windows.groups;
  int64_t factor = 1;
  for (int64_t f = 2; f <= windows.groups && f * outputs <= columns_wanted; ++f) {
    if (windows.groups % f == 0) factor = f;
  }
  if (factor == 1) return {rows, windows};
  Windows merged = windows;
  merged.groups /= factor;
  const int64_t channels = windows.group_channels(), taps = windows.terms() / channels;
  at::Tensor wide = at::zeros({rows.size(0), taps, factor, channels}, rows.options());
  const at::Tensor narrow = rows.reshape({rows.size(0), taps, channels});
  for (int64_t row = 0; row < rows.size(0); ++row) {
    if (!weight_zero.empty()) wide.select(0, row).fill_(weight_zero[static_cast<size_t>(row)]);
    wide.select(0, row).select(1, row / outputs % factor).copy_(narrow.select(0, row));
  }
  return {wide.reshape({rows.size(0), -1}), merged};
}

}  // namespace ptq::runtime::integer
