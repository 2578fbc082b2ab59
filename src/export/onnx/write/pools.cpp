#include <ATen/ops/zeros.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "export/onnx/write/site.h"

namespace ptq::exporting {
namespace {

/// The windows of a pool in numbers alone: rounding up (`ceil_mode`) is a window that reaches
/// `extension` elements over the padded edge. ONNX's own ceil_mode has no window rule of
/// LibTorch's.
struct Windows {
  ir::Ints kernel, stride, padding, dilation, extension;

  bool reach_over() const {
    return std::any_of(extension.begin(), extension.end(), [](int64_t e) { return e > 0; });
  }
  bool are_padded() const {
    return std::any_of(padding.begin(), padding.end(), [](int64_t p) { return p > 0; });
  }
  int64_t size() const {
    return std::accumulate(kernel.begin(), kernel.end(), int64_t{1}, std::multiplies<>());
  }
};

/// `ints` of a pool as one number a dimension; what is left out is `otherwise`.
ir::Ints per_dimension(const ir::Ints& ints, const ir::Ints& otherwise) {
  if (ints.empty()) return otherwise;
  return ints.size() == 1 ? ir::Ints(otherwise.size(), ints[0]) : ints;
}

template <class Pool>
Windows windows_of(const OnnxSite& site, const Pool& op, const ir::Ints& dilation) {
  const size_t rank = op.kernel.size();
  Windows windows;
  windows.kernel = op.kernel;
  windows.stride = per_dimension(op.stride, op.kernel);
  windows.padding = per_dimension(op.padding, ir::Ints(rank, 0));
  windows.dilation = per_dimension(dilation, ir::Ints(rank, 1));
  const ir::Dims& in = site.input_shape();
  const ir::Dims& out = site.output_shape();
  for (size_t i = 0; i < rank; ++i) {
    const int64_t covered = (out[out.size() - rank + i].value - 1) * windows.stride[i] +
                            windows.dilation[i] * (op.kernel[i] - 1) + 1;
    const int64_t padded = in[in.size() - rank + i].value + 2 * windows.padding[i];
    windows.extension.push_back(std::max<int64_t>(0, covered - padded));
  }
  return windows;
}

ir::Ints sum(ir::Ints a, const ir::Ints& b) {
  std::transform(a.begin(), a.end(), b.begin(), a.begin(), std::plus<>());
  return a;
}

ir::Ints begins_and_ends(const ir::Ints& begins, const ir::Ints& ends) {
  ir::Ints pads = begins;
  pads.insert(pads.end(), ends.begin(), ends.end());
  return pads;
}

/// The input with `value` around it, in the last dimensions.
std::string padded_input(OnnxSite& site, const ir::Ints& begins, const ir::Ints& ends,
                         double value) {
  const ir::Ints before(site.input_shape().size() - begins.size(), 0);
  ir::Ints pads = begins_and_ends(before, begins);
  pads = begins_and_ends(pads, begins_and_ends(before, ends));
  return site.step("Pad", "padded",
                   {site.input(), site.model.add_integers(site.part("pads"), pads),
                    site.number("padding", value)});
}

std::vector<OnnxAttribute> average_attributes(const Windows& windows, const ir::Ints& pads,
                                              int64_t count_include_pad) {
  return {{"kernel_shape", windows.kernel},
          {"strides", windows.stride},
          {"pads", pads},
          {"count_include_pad", count_include_pad}};
}

/// Sums over whole windows, zeros counted, by another divisor.
void finish_with_divisor(OnnxSite& site, const Windows& windows, int64_t divisor) {
  const ir::Ints pads = begins_and_ends(windows.padding, sum(windows.padding, windows.extension));
  const std::string mean =
      site.step("AveragePool", "mean", site.inputs(), average_attributes(windows, pads, 1));
  const double factor = static_cast<double>(windows.size()) / static_cast<double>(divisor);
  site.finish("Mul", {mean, site.number("factor", factor)});
}

ir::Ints last_extents(const ir::Dims& shape, size_t rank) {
  ir::Ints extents;
  for (size_t dim = shape.size() - rank; dim < shape.size(); ++dim) {
    extents.push_back(shape[dim].value);
  }
  return extents;
}

bool has_equal_windows(const ir::Ints& in, const ir::Ints& out) {
  return std::equal(in.begin(), in.end(), out.begin(),
                    [](int64_t extent, int64_t windows) { return extent % windows == 0; });
}

/// [out, in], 1 where window `i` of LibTorch's adaptive pools, from floor(i in / out) to
/// ceil((i + 1) in / out), has an element.
at::Tensor membership(int64_t in, int64_t out) {
  at::Tensor windows = at::zeros({out, in});
  for (int64_t i = 0; i < out; ++i) {
    const int64_t begin = i * in / out;
    const int64_t end = ((i + 1) * in + out - 1) / out;
    windows[i].slice(0, begin, end).fill_(1);
  }
  return windows;
}

/// ONNX has no windows that differ in size: sums are products with constant matrices.
void finish_with_uneven_windows(OnnxSite& site, const ir::Ints& in, const ir::Ints& out) {
  const at::Tensor columns = membership(in.back(), out.back());
  at::Tensor counts = columns.sum(1);
  std::string sums =
      site.step("MatMul", "row_sums",
                {site.input(), site.model.add_floats(site.part("columns"), columns.t())});
  if (in.size() == 2) {
    const at::Tensor rows = membership(in[0], out[0]);
    counts = rows.sum(1, true).mul(counts);
    sums = site.step("MatMul", "sums", {site.model.add_floats(site.part("rows"), rows), sums});
  }
  site.finish("Div", {sums, site.model.add_floats(site.part("counts"), counts)});
}

}  // namespace

void translate(OnnxSite& site, const ir::MaxPool& op) {
  const Windows windows = windows_of(site, op, op.dilation);
  const ir::Ints ends = sum(windows.padding, windows.extension);
  std::vector<OnnxAttribute> attributes{{"kernel_shape", windows.kernel},
                                        {"strides", windows.stride},
                                        {"dilations", windows.dilation}};
  // Runtimes want less padding than a window has elements; dilated windows may take more.
  const bool is_narrow = std::equal(ends.begin(), ends.end(), windows.kernel.begin(),
                                    [](int64_t end, int64_t kernel) { return end < kernel; });
  if (!is_narrow) {
    const double lowest = -std::numeric_limits<double>::infinity();
    site.finish("MaxPool", {padded_input(site, windows.padding, ends, lowest)}, attributes);
    return;
  }
  attributes.push_back({"pads", begins_and_ends(windows.padding, ends)});
  site.finish("MaxPool", site.inputs(), attributes);
}

void translate(OnnxSite& site, const ir::AvgPool& op) {
  const Windows windows = windows_of(site, op, {});
  if (op.divisor_override) {
    finish_with_divisor(site, windows, *op.divisor_override);
    return;
  }
  const ir::Ints none(windows.kernel.size(), 0);
  const bool counts_padding = op.count_include_pad && windows.are_padded();
  if (counts_padding && windows.reach_over()) {
    // What lies beyond the padding is not counted, the padding is: so that becomes part of the
    // input.
    const std::string input = padded_input(site, windows.padding, windows.padding, 0);
    site.finish("AveragePool", {input},
                average_attributes(windows, begins_and_ends(none, windows.extension), 0));
    return;
  }
  const ir::Ints pads = begins_and_ends(windows.padding, sum(windows.padding, windows.extension));
  site.finish("AveragePool", site.inputs(),
              average_attributes(windows, pads, counts_padding ? 1 : 0));
}

void translate(OnnxSite& site, const ir::AdaptiveAvgPool& op) {
  const size_t rank = op.output_size.size();
  if (std::count(op.output_size.begin(), op.output_size.end(), 1) ==
      static_cast<std::ptrdiff_t>(rank)) {
    site.finish("GlobalAveragePool", site.inputs());
    return;
  }
  const ir::Ints in = last_extents(site.input_shape(), rank);
  if (!has_equal_windows(in, op.output_size)) {
    finish_with_uneven_windows(site, in, op.output_size);
    return;
  }
  Windows windows;
  for (size_t i = 0; i < rank; ++i) windows.kernel.push_back(in[i] / op.output_size[i]);
  windows.stride = windows.kernel;
  site.finish("AveragePool", site.inputs(), average_attributes(windows, ir::Ints(2 * rank, 0), 0));
}

}  // namespace ptq::exporting
