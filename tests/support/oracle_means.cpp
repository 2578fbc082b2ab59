#include "support/oracle_means.h"

#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <vector>

#include "runtime/execute_op.h"

namespace ptq::testing {
namespace {

/// Adds up the last dimension, from the first element to the last.
at::Tensor ordered_sum(const at::Tensor& terms) {
  at::Tensor sum = at::zeros_like(terms.select(-1, 0));
  for (int64_t i = 0; i < terms.size(-1); ++i) sum = sum.add(terms.select(-1, i));
  return sum;
}

WindowSums over_dimensions(const ir::Mean& op, const at::Tensor& in) {
  std::vector<int64_t> kept, summed, sizes;
  for (int64_t dim = 0; dim < in.dim(); ++dim) {
    const bool is_summed = std::find(op.dims.begin(), op.dims.end(), dim) != op.dims.end();
    (is_summed ? summed : kept).push_back(dim);
    if (!is_summed || op.keepdim) sizes.push_back(is_summed ? 1 : in.size(dim));
  }
  const auto first_summed = static_cast<int64_t>(kept.size());
  kept.insert(kept.end(), summed.begin(), summed.end());
  const at::Tensor terms = in.permute(kept).flatten(first_summed);
  const at::Tensor sums = ordered_sum(terms).reshape(sizes);
  return {sums, at::zeros_like(sums, at::kFloat).add(terms.size(-1))};
}

/// Of one window along one axis: what lies in the image, and how many it counts.
struct Range {
  int64_t first, last, counted;
};

/// Window i of `out` along dimension `dim` of `in`; the last of `axes` axes is the last dimension.
Range range_of(const ir::Node& node, size_t axis, int64_t in, int64_t out, int64_t i) {
  const auto* pool = node.as<ir::AvgPool>();
  if (pool == nullptr) {
    const int64_t first = i * in / out, last = ((i + 1) * in + out - 1) / out;
    return {first, last, last - first};
  }
  const size_t axes = pool->kernel.size();
  if (axis + axes < 2) return {0, 1, 1};  // height, of a pool over width alone
  const size_t own = axis + axes - 2;
  const int64_t stride = (pool->stride.empty() ? pool->kernel : pool->stride)[own];
  const int64_t padding = pool->padding[own], first = i * stride - padding;
  const int64_t last = std::min(first + pool->kernel[own], in + padding);
  const int64_t begin = std::max<int64_t>(first, 0), end = std::min(last, in);
  return {begin, end, pool->count_include_pad ? last - first : end - begin};
}

/// Of [N, C, H, W].
WindowSums over_windows(const ir::Node& node, const at::Tensor& in, at::Tensor sums) {
  at::Tensor counts = at::zeros_like(sums, at::kFloat);
  const auto* pool = node.as<ir::AvgPool>();
  for (int64_t y = 0; y < sums.size(2); ++y) {
    const Range row = range_of(node, 0, in.size(2), sums.size(2), y);
    for (int64_t x = 0; x < sums.size(3); ++x) {
      const Range column = range_of(node, 1, in.size(3), sums.size(3), x);
      const at::Tensor window =
          in.slice(2, row.first, row.last).slice(3, column.first, column.last);
      sums.select(2, y).select(2, x).copy_(ordered_sum(window.flatten(2)));
      const int64_t counted = row.counted * column.counted;
      const bool given = pool != nullptr && pool->divisor_override;
      counts.select(2, y).select(2, x).fill_(given ? *pool->divisor_override : counted);
    }
  }
  return {sums, counts};
}

}  // namespace

bool takes_means(const ir::Node& node) {
  return node.is<ir::Mean>() || node.is<ir::AdaptiveAvgPool>() || node.is<ir::AvgPool>();
}

WindowSums window_sums(const ir::Node& node, const at::Tensor& in, int64_t batch) {
  if (const auto* op = node.as<ir::Mean>()) return over_dimensions(*op, in);
  const at::Tensor sizes = runtime::execute_op(node.op, {in}, batch);
  if (in.dim() == 4) return over_windows(node, in, at::zeros_like(sizes));
  const auto result = over_windows(node, in.unsqueeze(2), at::zeros_like(sizes).unsqueeze(2));
  return {result.sums.squeeze(2), result.counts.squeeze(2)};
}

}  // namespace ptq::testing
