#include <ATen/ops/batch_norm.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>

#include <algorithm>

#include "export/onnx/read/evaluation.h"
#include "ptq/base/error.h"

namespace ptq::exporting {
namespace {

using Numbers = std::vector<int64_t>;

/// `pads` lists begins, then ends; what ATen takes is one number a dimension.
Numbers symmetric_padding(const OnnxCall& call, size_t rank) {
  const Numbers pads = call.integers("pads", Numbers(2 * rank, 0));
  if (pads.size() != 2 * rank) throw ExportError(call.node().name() + ": padding of another rank");
  const auto middle = pads.begin() + static_cast<std::ptrdiff_t>(rank);
  if (!std::equal(pads.begin(), middle, middle, pads.end())) {
    throw ExportError(call.node().name() + ": padding differs from side to side");
  }
  return {pads.begin(), middle};
}

at::Tensor convolve(const OnnxCall& call, bool transposed) {
  const auto rank = static_cast<size_t>(call.tensor().dim() - 2);
  const Numbers ones(rank, 1);
  return at::convolution(
      call.tensor(0), call.tensor(1), call.tensor(2), call.integers("strides", ones),
      symmetric_padding(call, rank), call.integers("dilations", ones), transposed,
      call.integers("output_padding", Numbers(rank, 0)), call.integer("group", 1));
}

/// alpha a b + beta c with factors of 1, a as it is.
OnnxValue gemm(const OnnxCall& call) {
  if (call.integer("transA", 0) != 0 || call.number("alpha", 1) != 1 ||
      call.number("beta", 1) != 1) {
    throw ExportError(call.node().name() + ": this form of Gemm cannot be read");
  }
  const at::Tensor b = call.tensor(1);
  return {at::linear(call.tensor(0), call.integer("transB", 0) != 0 ? b : b.t(), call.tensor(2))};
}

OnnxValue batch_normalization(const OnnxCall& call) {
  constexpr double kUnusedMomentum = 0.1;
  return {at::batch_norm(call.tensor(0), call.tensor(1), call.tensor(2), call.tensor(3),
                         call.tensor(4), false, kUnusedMomentum, call.number("epsilon", 1e-5),
                         false)};
}

OnnxValue layer_normalization(const OnnxCall& call) {
  const at::Tensor x = call.tensor();
  const int64_t axis = call.integer("axis", -1);
  const at::IntArrayRef sizes = x.sizes().slice(static_cast<size_t>(call.dimension(axis)));
  return {at::layer_norm(x, sizes, call.tensor(1), call.tensor(2), call.number("epsilon", 1e-5))};
}

}  // namespace

void add_layer_functions(OnnxFunctions& functions) {
  functions["Conv"] = [](const OnnxCall& call) { return OnnxValue{convolve(call, false)}; };
  functions["ConvTranspose"] = [](const OnnxCall& call) { return OnnxValue{convolve(call, true)}; };
  functions["Gemm"] = gemm;
  functions["BatchNormalization"] = batch_normalization;
  functions["LayerNormalization"] = layer_normalization;
}

}  // namespace ptq::exporting
