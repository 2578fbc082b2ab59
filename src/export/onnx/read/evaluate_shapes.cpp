#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/tensor.h>

#include <algorithm>

#include "export/onnx/read/evaluation.h"
#include "ptq/base/error.h"

namespace ptq::exporting {
namespace {

using Numbers = std::vector<int64_t>;

OnnxValue with_type_of_input(const OnnxCall& call, at::Tensor tensor) {
  return {std::move(tensor), call.value(0).type};
}

OnnxValue concat(const OnnxCall& call) {
  std::vector<at::Tensor> parts;
  for (size_t i = 0; i < call.size(); ++i) parts.push_back(call.tensor(i));
  return with_type_of_input(call, at::cat(parts, call.integer("axis", 0)));
}

/// An extent of 0 is the input's.
OnnxValue reshape(const OnnxCall& call) {
  const at::Tensor x = call.tensor();
  Numbers extents = call.numbers(1);
  for (size_t i = 0; i < extents.size(); ++i) {
    if (extents[i] == 0) extents[i] = x.size(static_cast<int64_t>(i));
  }
  return with_type_of_input(call, x.reshape(extents));
}

OnnxValue transpose(const OnnxCall& call) {
  return with_type_of_input(call, call.tensor().permute(call.integers("perm", {})));
}

/// Both ways: an extent of 1 asked for keeps the input's.
OnnxValue expand(const OnnxCall& call) {
  const at::Tensor x = call.tensor();
  Numbers extents = call.numbers(1);
  const auto lead = static_cast<int64_t>(extents.size()) - x.dim();
  for (int64_t dim = std::max<int64_t>(0, -lead); dim < x.dim(); ++dim) {
    int64_t& extent = extents.at(static_cast<size_t>(dim + lead));
    if (extent == 1) extent = x.size(dim);
  }
  return with_type_of_input(call, x.expand(extents));
}

OnnxValue gather(const OnnxCall& call) {
  const at::Tensor x = call.tensor();
  const at::Tensor index = call.tensor(1);
  const int64_t dim = call.dimension(call.integer("axis", 0));
  Numbers sizes = x.sizes().vec();
  sizes.erase(sizes.begin() + dim);
  sizes.insert(sizes.begin() + dim, index.sizes().begin(), index.sizes().end());
  const at::Tensor wrapped = index.reshape({-1}).remainder(x.size(dim));
  return with_type_of_input(call, x.index_select(dim, wrapped).reshape(sizes));
}

OnnxValue slice(const OnnxCall& call) {
  at::Tensor x = call.tensor();
  const Numbers starts = call.numbers(1);
  const Numbers ends = call.numbers(2);
  for (size_t i = 0; i < starts.size(); ++i) {
    const int64_t axis = call.tensor(3).defined() ? call.numbers(3).at(i) : static_cast<int64_t>(i);
    const int64_t step = call.tensor(4).defined() ? call.numbers(4).at(i) : 1;
    x = x.slice(axis, starts[i], ends.at(i), step);
  }
  return with_type_of_input(call, x);
}

OnnxValue squeeze(const OnnxCall& call) {
  const at::Tensor x = call.tensor();
  Numbers dims = call.numbers(1);
  for (int64_t& dim : dims) dim = dim < 0 ? dim + x.dim() : dim;
  std::sort(dims.rbegin(), dims.rend());
  at::Tensor squeezed = x;
  for (const int64_t dim : dims) squeezed = squeezed.squeeze(dim);
  return with_type_of_input(call, squeezed);
}

OnnxValue shape(const OnnxCall& call) {
  return {at::tensor(call.tensor().sizes(), at::kLong), onnx::TensorProto::INT64};
}

OnnxValue pad(const OnnxCall& call) {
  const Numbers pads = call.numbers(1);
  const size_t rank = pads.size() / 2;
  Numbers from_last;
  for (size_t i = rank; i-- > 0;) {
    from_last.push_back(pads[i]);
    from_last.push_back(pads[rank + i]);
  }
  const double value = call.tensor(2).defined() ? call.tensor(2).item<double>() : 0;
  return with_type_of_input(call, at::constant_pad_nd(call.tensor(), from_last, value));
}

/// The axes are an attribute, or since opset 18 an input.
Numbers axes_of(const OnnxCall& call) {
  return call.tensor(1).defined() ? call.numbers(1) : call.integers("axes", {});
}

template <class Reduce>
OnnxFunction reduction(Reduce reduce) {
  return [reduce](const OnnxCall& call) {
    return OnnxValue{reduce(call.tensor(), axes_of(call), call.integer("keepdims", 1) != 0)};
  };
}

/// Each row and column as often as the scales say.
OnnxValue resize(const OnnxCall& call) {
  at::Tensor x = call.tensor();
  const at::Tensor scales = call.tensor(2);
  for (int64_t dim = 0; dim < x.dim(); ++dim) {
    x = x.repeat_interleave(static_cast<int64_t>(scales[dim].item<double>()), dim);
  }
  return {x};
}

OnnxValue identity(const OnnxCall& call) { return call.value(0); }

}  // namespace

void add_shape_functions(OnnxFunctions& functions) {
  functions["Concat"] = concat;
  functions["Reshape"] = reshape;
  functions["Transpose"] = transpose;
  functions["Expand"] = expand;
  functions["Gather"] = gather;
  functions["Slice"] = slice;
  functions["Squeeze"] = squeeze;
  functions["Shape"] = shape;
  functions["Pad"] = pad;
  functions["ReduceMean"] = reduction(
      [](const at::Tensor& x, const Numbers& dims, bool keep) { return x.mean(dims, keep); });
  functions["ReduceL2"] = reduction(
      [](const at::Tensor& x, const Numbers& dims, bool keep) { return x.norm(2, dims, keep); });
  functions["ReduceSum"] = reduction(
      [](const at::Tensor& x, const Numbers& dims, bool keep) { return x.sum(dims, keep); });
  functions["ReduceMax"] = reduction(
      [](const at::Tensor& x, const Numbers& dims, bool keep) { return x.amax(dims, keep); });
  functions["ReduceMin"] = reduction(
      [](const at::Tensor& x, const Numbers& dims, bool keep) { return x.amin(dims, keep); });
  functions["Resize"] = resize;
  functions["Identity"] = identity;
}

}  // namespace ptq::exporting
