#include <algorithm>

#include "export/onnx/write/site.h"

// Operations that move elements or reduce dimensions. The size of the batch stays open.
namespace ptq::exporting {
namespace {

/// Reductions take their axes as an input since.
constexpr int kOpsetOfAxesInputs = 18;

/// int64 [1]: how many images the run has.
std::string batch_size(OnnxTranslation& whole) {
  std::string& name = whole.shared["batch size"];
  if (!name.empty()) return name;
  OnnxModel& model = whole.model;
  const std::string shape =
      model.add({"Shape", "batch_size.shape", {whole.tensors.at(whole.network.graph.input)}});
  const std::string begin = model.add_integers("batch_size.begin", {0});
  const std::string end = model.add_integers("batch_size.end", {1});
  return name = model.add({"Slice", "batch_size", {shape, begin, end}});
}

/// Extents of the output as Reshape takes them: 0 copies the input's, -1 is what is left.
ir::Ints reshape_extents(const ir::Dims& from, const ir::Dims& to) {
  ir::Ints extents;
  for (size_t i = 0; i < to.size(); ++i) {
    const bool is_copied = i < from.size() && from[i] == to[i];
    const int64_t open = is_copied ? 0 : -1;
    extents.push_back(to[i].times_batch ? open : to[i].value);
  }
  return extents;
}

bool is_fixed(const ir::Dims& dims) {
  return std::none_of(dims.begin(), dims.end(), [](const ir::Dim& dim) { return dim.times_batch; });
}

/// int64 [rank] with the extents of an expanded value.
std::string shape_tensor(OnnxSite& site, const ir::Dims& dims) {
  if (is_fixed(dims)) return site.model.add_integers(site.part("shape"), ir::at_batch(dims, 1));
  std::vector<std::string> extents;
  for (const ir::Dim& dim : dims) extents.push_back(extent_tensor(site, "extent", dim));
  return site.step("Concat", "shape", extents, {{"axis", int64_t{0}}});
}

}  // namespace

std::string extent_tensor(OnnxSite& site, const std::string& word, const ir::Dim& dim) {
  if (!dim.times_batch) return site.model.add_integers(site.part(word), {dim.value});
  const std::string batch = batch_size(site.whole);
  if (dim.value == 1) return batch;
  const std::string factor = site.model.add_integers(site.part(word + "_factor"), {dim.value});
  return site.step("Mul", word, {batch, factor});
}

std::string mean_step(OnnxSite& site, const std::string& word, const std::string& input,
                      const ir::Ints& dims) {
  if (site.model.opset() < kOpsetOfAxesInputs)
    return site.step("ReduceMean", word, {input}, {{"axes", dims}});
  const std::string axes = site.model.add_integers(site.part(word + "_axes"), dims);
  return site.step("ReduceMean", word, {input, axes});
}

void finish_reduction(OnnxSite& site, const std::string& op_type, const ir::Ints& dims,
                      bool keeps_dims) {
  const OnnxAttribute keepdims{"keepdims", int64_t{keeps_dims}};
  const bool is_sum = op_type == "ReduceSum";  // since opset 13
  if (site.model.opset() < kOpsetOfAxesInputs && !is_sum) {
    site.finish(op_type, {site.input()}, {{"axes", dims}, keepdims});
    return;
  }
  site.finish(op_type, {site.input(), site.model.add_integers(site.part("axes"), dims)},
              {keepdims});
}

void translate(OnnxSite& site, const ir::Mean& op) {
  finish_reduction(site, "ReduceMean", op.dims, op.keepdim);
}

void translate(OnnxSite& site, const ir::Reshape&) {
  const ir::Ints extents = reshape_extents(site.input_shape(), site.output_shape());
  site.finish("Reshape", {site.input(), site.model.add_integers(site.part("shape"), extents)});
}

void translate(OnnxSite& site, const ir::Permute& op) {
  const auto rank = static_cast<int64_t>(op.dims.size());
  ir::Ints dims = op.dims;
  for (int64_t& dim : dims) dim = dim < 0 ? dim + rank : dim;
  site.finish("Transpose", site.inputs(), {{"perm", dims}});
}

void translate(OnnxSite& site, const ir::Expand&) {
  site.finish("Expand", {site.input(), shape_tensor(site, site.output_shape())});
}

void translate(OnnxSite& site, const ir::Select& op) {
  std::string index = extent_tensor(site, "index", op.index);
  const std::string picked =
      site.step("Gather", "picked", {site.input(), index}, {{"axis", op.dim}});
  site.finish("Squeeze", {picked, site.model.add_integers(site.part("axis"), {op.dim})});
}

void translate(OnnxSite& site, const ir::Slice& op) {
  site.finish("Slice", {site.input(), extent_tensor(site, "start", op.start),
                        extent_tensor(site, "end", op.end),
                        site.model.add_integers(site.part("axis"), {op.dim}),
                        site.model.add_integers(site.part("step"), {op.step})});
}

}  // namespace ptq::exporting
