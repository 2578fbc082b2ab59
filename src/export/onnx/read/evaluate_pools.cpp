#include <ATen/ops/avg_pool3d.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/max_pool3d.h>
#include <ATen/ops/ones_like.h>

#include <algorithm>
#include <limits>

#include "export/onnx/read/evaluation.h"
#include "ptq/base/error.h"

// Pools of 1 to 3 dimensions, all computed as ones of 3.
namespace ptq::exporting {
namespace {

using Numbers = std::vector<int64_t>;

constexpr size_t kRank = 3;

struct Windows {
  Numbers kernel, strides, dilations, begins, ends;
};

Numbers in_three(const Numbers& numbers, int64_t fill) {
  if (numbers.size() > kRank) throw ExportError("pools of more than three dimensions");
  Numbers result(kRank - numbers.size(), fill);
  result.insert(result.end(), numbers.begin(), numbers.end());
  return result;
}

Windows windows_of(const OnnxCall& call) {
  const Numbers kernel = call.integers("kernel_shape", {});
  const Numbers ones(kernel.size(), 1);
  const Numbers pads = call.integers("pads", Numbers(2 * kernel.size(), 0));
  if (call.tensor().dim() < 2 || pads.size() != 2 * kernel.size()) {
    throw ExportError(call.node().name() + ": its attributes do not fit its input");
  }
  const auto middle = pads.begin() + static_cast<std::ptrdiff_t>(kernel.size());
  return {in_three(kernel, 1), in_three(call.integers("strides", ones), 1),
          in_three(call.integers("dilations", ones), 1), in_three({pads.begin(), middle}, 0),
          in_three({middle, pads.end()}, 0)};
}

/// [N, C, ...] with three dimensions after the channels.
at::Tensor volume(const at::Tensor& x) {
  Numbers sizes = x.sizes().vec();
  while (sizes.size() < kRank + 2) sizes.insert(sizes.begin() + 2, 1);
  return x.reshape(sizes);
}

at::Tensor like_input(const at::Tensor& pooled, const at::Tensor& x) {
  Numbers sizes{pooled.size(0), pooled.size(1)};
  for (int64_t dim = pooled.dim() - (x.dim() - 2); dim < pooled.dim(); ++dim) {
    sizes.push_back(pooled.size(dim));
  }
  return pooled.reshape(sizes);
}

at::Tensor padded(const at::Tensor& x, const Windows& windows, double value) {
  Numbers pads;
  for (size_t i = kRank; i-- > 0;) {
    pads.push_back(windows.begins[i]);
    pads.push_back(windows.ends[i]);
  }
  return at::constant_pad_nd(x, pads, value);
}

OnnxValue max_pool(const OnnxCall& call) {
  const Windows windows = windows_of(call);
  const at::Tensor x =
      padded(volume(call.tensor()), windows, -std::numeric_limits<double>::infinity());
  const at::Tensor pooled =
      at::max_pool3d(x, windows.kernel, windows.strides, {0, 0, 0}, windows.dilations);
  return {like_input(pooled, call.tensor())};
}

/// Sums of windows over the number of elements in them, zeros around the input counted or not.
OnnxValue average_pool(const OnnxCall& call) {
  const Windows windows = windows_of(call);
  const at::Tensor x = volume(call.tensor());
  const auto sums = [&](const at::Tensor& values) {
    return at::avg_pool3d(values, windows.kernel, windows.strides, {0, 0, 0}, false, true, 1);
  };
  const bool counts_padding = call.integer("count_include_pad", 0) != 0;
  const at::Tensor counted = padded(at::ones_like(x), windows, counts_padding ? 1 : 0);
  return {like_input(sums(padded(x, windows, 0)).div(sums(counted)), call.tensor())};
}

OnnxValue global_average_pool(const OnnxCall& call) {
  Numbers dims;
  for (int64_t dim = 2; dim < call.tensor().dim(); ++dim) dims.push_back(dim);
  return {call.tensor().mean(dims, true)};
}

}  // namespace

void add_pool_functions(OnnxFunctions& functions) {
  functions["MaxPool"] = max_pool;
  functions["AveragePool"] = average_pool;
  functions["GlobalAveragePool"] = global_average_pool;
}

}  // namespace ptq::exporting
