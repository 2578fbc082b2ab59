#include <algorithm>
#include <numeric>

#include "import/lowerings.h"

namespace ptq::import {
namespace {

Lowered unchanged(const Call& call, Recorder& recorder) {
  return {recorder.read(call.tensor("self"))};
}

Lowered lower_reshape(const Call& call, Recorder& recorder) {
  if (call.result().sizes() == call.tensor("self").sizes()) return unchanged(call, recorder);
  return lower_to(call, recorder, ir::Reshape{constant_dims(call.result().sizes())},
                  call.tensor("self"));
}

/// Padding by nothing, as torchvision's Swin does where windows fit. Other padding has no node.
Lowered lower_pad(const Call& call, Recorder& recorder) {
  const ir::Ints pads = call.integers("pad");
  const bool none = std::all_of(pads.begin(), pads.end(), [](int64_t pad) { return pad == 0; });
  return none ? unchanged(call, recorder) : Lowered{};
}

Lowered lower_expand(const Call& call, Recorder& recorder) {
  if (call.result().sizes() == call.tensor("self").sizes()) return unchanged(call, recorder);
  return lower_to(call, recorder, ir::Expand{constant_dims(call.result().sizes())},
                  call.tensor("self"));
}

ir::Ints same_order(const at::Tensor& tensor) {
  ir::Ints dims(static_cast<size_t>(tensor.dim()));
  std::iota(dims.begin(), dims.end(), 0);
  return dims;
}

Lowered append_permute(const Call& call, Recorder& recorder, ir::Ints dims) {
  const at::Tensor input = call.tensor("self");
  if (dims == same_order(input)) return unchanged(call, recorder);
  return lower_to(call, recorder, ir::Permute{std::move(dims)}, input);
}

Lowered lower_permute(const Call& call, Recorder& recorder) {
  ir::Ints dims = call.integers("dims");
  for (int64_t& dim : dims) dim = from_front(dim, call.tensor("self").dim());
  return append_permute(call, recorder, std::move(dims));
}

Lowered lower_transpose(const Call& call, Recorder& recorder) {
  if (!call.find("dim0") || !call.argument("dim0").isInt()) return {};
  const int64_t rank = call.tensor("self").dim();
  ir::Ints dims = same_order(call.tensor("self"));
  std::swap(dims.at(static_cast<size_t>(from_front(call.integer("dim0"), rank))),
            dims.at(static_cast<size_t>(from_front(call.integer("dim1"), rank))));
  return append_permute(call, recorder, std::move(dims));
}

Lowered lower_t(const Call& call, Recorder& recorder) {
  ir::Ints dims = same_order(call.tensor("self"));
  std::reverse(dims.begin(), dims.end());
  return append_permute(call, recorder, std::move(dims));
}

Lowered lower_select(const Call& call, Recorder& recorder) {
  if (!call.find("index") || !call.argument("index").isInt()) return {};
  const at::Tensor input = call.tensor("self");
  const int64_t dim = from_front(call.integer("dim"), input.dim());
  const int64_t index = from_front(call.integer("index"), input.size(dim));
  return lower_to(call, recorder, ir::Select{dim, {index, false}}, input);
}

/// A bound of a slice as LibTorch reads it: from the front, cut to the dimension.
int64_t slice_bound(const Call& call, const char* name, int64_t absent, int64_t size) {
  if (!call.has(name)) return absent;
  return std::clamp<int64_t>(from_front(call.integer(name), size), 0, size);
}

Lowered lower_slice(const Call& call, Recorder& recorder) {
  const at::Tensor input = call.tensor("self");
  if (input.sizes() == call.result().sizes()) return unchanged(call, recorder);
  const int64_t dim = from_front(call.integer("dim"), input.dim());
  const int64_t size = input.size(dim);
  const int64_t start = slice_bound(call, "start", 0, size);
  const int64_t end = std::max(start, slice_bound(call, "end", size, size));
  const ir::Slice slice{dim, {start, false}, {end, false}, call.integer("step")};
  return lower_to(call, recorder, slice, input);
}

Lowered lower_narrow(const Call& call, Recorder& recorder) {
  if (!call.argument("start").isInt()) return {};
  const at::Tensor input = call.tensor("self");
  const int64_t dim = from_front(call.integer("dim"), input.dim());
  const int64_t start = from_front(call.integer("start"), input.size(dim));
  const ir::Slice slice{dim, {start, false}, {start + call.integer("length"), false}, 1};
  return lower_to(call, recorder, slice, input);
}

/// chunk, split: each result follows the one before it.
Lowered lower_split(const Call& call, Recorder& recorder) {
  const at::Tensor input = call.tensor("self");
  const int64_t dim = from_front(call.integer("dim"), input.dim());
  Lowered values;
  int64_t start = 0;
  for (const at::Tensor& part : call.results) {
    const int64_t end = start + part.size(dim);
    const ir::Slice slice{dim, {start, false}, {end, false}, 1};
    values.push_back(append_for(call, recorder, slice, {input}, part));
    start = end;
  }
  return values;
}

Lowered lower_unbind(const Call& call, Recorder& recorder) {
  const at::Tensor input = call.tensor("self");
  const int64_t dim = from_front(call.integer("dim"), input.dim());
  Lowered values;
  for (const at::Tensor& part : call.results) {
    const ir::Select select{dim, {static_cast<int64_t>(values.size()), false}};
    values.push_back(append_for(call, recorder, select, {input}, part));
  }
  return values;
}

Lowered lower_cat(const Call& call, Recorder& recorder) {
  if (!call.argument("dim").isInt()) return {};
  std::vector<at::Tensor> parts;
  collect_tensors(call.argument("tensors"), parts);
  for (const at::Tensor& part : parts) {
    if (part.dim() != call.result().dim()) return {};
  }
  const ir::Concat concat{from_front(call.integer("dim"), call.result().dim())};
  return {append_for(call, recorder, concat, parts, call.result())};
}

}  // namespace

void add_shape_lowerings(LoweringTable& table) {
  for (const char* name : {"view", "reshape", "flatten", "squeeze", "unsqueeze", "_unsafe_view",
                           "view_as", "reshape_as", "unflatten", "_reshape_alias", "ravel"}) {
    table[name] = lower_reshape;
  }
  table["expand"] = table["expand_as"] = table["broadcast_to"] = lower_expand;
  table["pad"] = table["constant_pad_nd"] = lower_pad;
  table["permute"] = lower_permute;
  table["transpose"] = table["swapaxes"] = table["swapdims"] = lower_transpose;
  table["t"] = table["numpy_T"] = lower_t;
  table["select"] = lower_select;
  table["slice"] = lower_slice;
  table["narrow"] = lower_narrow;
  for (const char* name : {"chunk", "split", "split_with_sizes", "unsafe_chunk", "unsafe_split",
                           "unsafe_split_with_sizes"}) {
    table[name] = lower_split;
  }
  table["unbind"] = lower_unbind;
  table["cat"] = table["concat"] = lower_cat;
}

}  // namespace ptq::import
