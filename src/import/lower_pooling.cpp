#include "import/lowerings.h"

namespace ptq::import {
namespace {

/// Rank of the pooled image part, which the operator's name ends in: 2 of "max_pool2d".
size_t spatial_rank(const Call& call) {
  const size_t digit = call.name.find_last_of("123");
  return static_cast<size_t>(call.name[digit] - '0');
}

/// A batch of images rather than a single one.
bool is_batched(const Call& call) {
  return call.tensor("self").dim() == static_cast<int64_t>(spatial_rank(call)) + 2;
}

ir::Ints sizes(const Call& call, const char* argument) {
  ir::Ints values = call.integers(argument);
  if (values.size() == 1) values.resize(spatial_rank(call), values.front());
  return values;
}

ir::Ints stride_or_kernel(const Call& call) {
  if (!call.has("stride") || call.integers("stride").empty()) return sizes(call, "kernel_size");
  return sizes(call, "stride");
}

Lowered lower_max_pool(const Call& call, Recorder& recorder) {
  if (!is_batched(call)) return {};
  const ir::MaxPool pool{sizes(call, "kernel_size"), stride_or_kernel(call), sizes(call, "padding"),
                         sizes(call, "dilation"), call.flag("ceil_mode")};
  return lower_to(call, recorder, pool, call.tensor("self"));
}

Lowered lower_avg_pool(const Call& call, Recorder& recorder) {
  if (!is_batched(call)) return {};
  ir::AvgPool pool;
  pool.kernel = sizes(call, "kernel_size");
  pool.stride = stride_or_kernel(call);
  pool.padding = sizes(call, "padding");
  pool.ceil_mode = call.flag("ceil_mode");
  pool.count_include_pad = call.flag("count_include_pad");
  if (call.has("divisor_override")) pool.divisor_override = call.integer("divisor_override");
  return lower_to(call, recorder, pool, call.tensor("self"));
}

Lowered lower_adaptive_avg_pool(const Call& call, Recorder& recorder) {
  if (!is_batched(call)) return {};
  return lower_to(call, recorder, ir::AdaptiveAvgPool{sizes(call, "output_size")},
                  call.tensor("self"));
}

Lowered lower_mean(const Call& call, Recorder& recorder) {
  if (!call.has("dim") || call.has("dtype")) return {};
  ir::Mean mean;
  for (const int64_t dim : call.integers("dim")) {
    mean.dims.push_back(from_front(dim, call.tensor("self").dim()));
  }
  mean.keepdim = call.flag("keepdim");
  return mean.dims.empty() ? Lowered{} : lower_to(call, recorder, mean, call.tensor("self"));
}

}  // namespace

void add_pooling_lowerings(LoweringTable& table) {
  for (const char* name : {"max_pool1d", "max_pool2d", "max_pool3d"}) table[name] = lower_max_pool;
  for (const char* name : {"avg_pool1d", "avg_pool2d", "avg_pool3d"}) table[name] = lower_avg_pool;
  for (const char* name : {"adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d"}) {
    table[name] = lower_adaptive_avg_pool;
  }
  table["mean"] = lower_mean;
}

}  // namespace ptq::import
