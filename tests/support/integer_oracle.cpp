#include "support/integer_oracle.h"

#include <ATen/ops/sqrt.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <stdexcept>
#include <unordered_map>
#include <variant>
#include <vector>

#include "quant/fake_quantize.h"
#include "quant/layer_integers.h"
#include "quant/layer_quantizers.h"
#include "runtime/execute_op.h"
#include "runtime/gemm.h"
#include "runtime/steps/float_functions.h"
#include "support/oracle_means.h"

namespace ptq::testing {
namespace {

/// Floats, and where they are codes also q - z in float64 and their scale.
struct OracleValue {
  at::Tensor floats;
  at::Tensor integers;
  float scale = 0;

  bool is_codes() const { return integers.defined(); }
};

OracleValue quantized(const at::Tensor& x, const quant::QParams& params) {
  const at::Tensor in = x.contiguous();
  OracleValue result{at::zeros_like(in), at::zeros_like(in, at::kDouble), params.scale};
  for (int64_t i = 0; i < in.numel(); ++i) {
    const float code = quant::quantize(in.data_ptr<float>()[i], params);
    result.integers.data_ptr<double>()[i] = static_cast<double>(code) - params.zero_point;
    result.floats.data_ptr<float>()[i] = quant::dequantize(code, params);
  }
  return result;
}

/// Channels of a layer's output along dimension 1, or the last one of a linear layer.
at::Tensor along_channels(const at::Tensor& vector, const ir::Node& layer, int64_t rank) {
  const at::Tensor flat = vector.reshape({-1});
  if (flat.numel() == 1 || layer.is<ir::Linear>()) return flat;
  std::vector<int64_t> sizes(static_cast<size_t>(rank), 1);
  sizes[1] = flat.numel();
  return flat.reshape(sizes);
}

/// The sum in its one order (runtime/steps/row_functions.h).
float sum_of_sixteen(const std::vector<float>& terms) {
  std::array<float, 16> sums{};
  for (size_t i = 0; i < terms.size(); ++i) sums[i % 16] += terms[i];
  for (const size_t width : {8, 4, 2, 1}) {
    for (size_t i = 0; i < width; ++i) sums[i] += sums[i + width];
  }
  return sums[0];
}

std::vector<float> softmax(std::vector<float> row) {
  const float largest = *std::max_element(row.begin(), row.end());
  for (float& x : row) x = x - largest < -87 ? 0 : runtime::exponential(x - largest);
  const float factor = 1 / sum_of_sixteen(row);
  for (float& x : row) x *= factor;
  return row;
}

std::vector<float> normalized(std::vector<float> row, const ir::LayerNorm& op) {
  const auto size = static_cast<float>(row.size());
  const float mean = sum_of_sixteen(row) / size;
  for (float& x : row) x -= mean;
  std::vector<float> squares;
  for (const float x : row) squares.push_back(x * x);
  const float factor = 1 / std::sqrt(sum_of_sixteen(squares) / size + static_cast<float>(op.eps));
  for (size_t i = 0; i < row.size(); ++i) {
    row[i] *= factor;
    if (op.weight) row[i] *= op.weight->value.data_ptr<float>()[i];
    if (op.bias) row[i] += op.bias->value.data_ptr<float>()[i];
  }
  return row;
}

/// x * factor + summand, each operation rounded.
at::Tensor batch_normalized(const at::Tensor& in, const ir::BatchNorm& op) {
  std::vector<int64_t> sizes(static_cast<size_t>(in.dim()), 1);
  sizes[1] = in.size(1);
  at::Tensor factor = at::sqrt(op.running_var.value.add(op.eps)).reciprocal();
  if (op.weight) factor = factor.mul(op.weight->value);
  at::Tensor summand = op.running_mean.value.mul(factor).neg();
  if (op.bias) summand = summand.add(op.bias->value);
  return in.mul(factor.reshape(sizes)).add(summand.reshape(sizes));
}

/// LibTorch's own product is as slow as its BLAS.
at::Tensor linear_sums(const at::Tensor& in, const at::Tensor& weight) {
  const at::Tensor rows = in.to(at::kFloat).reshape({-1, in.size(-1)});
  std::vector<int64_t> sizes = in.sizes().vec();
  sizes.back() = weight.size(0);
  return runtime::product(rows, weight.t()).reshape(sizes).to(at::kDouble);
}

/// The sums of a layer without a bias, whose input and weight are whole numbers in float64. Float32
/// is faster, and exact where no sum reaches 2^24: of the upper and of the lower bits of the
/// weight.
at::Tensor exact_sums(ir::Op op, const at::Tensor& in, int64_t batch) {
  constexpr int64_t kFewRows = 8;  // too few to pay for taking weights apart
  if (std::holds_alternative<ir::Linear>(op) && in.numel() < kFewRows * in.size(-1)) {
    return runtime::execute_op(op, {in}, batch);
  }
  at::Tensor& weight = ir::weighted(op)->weight.value;
  const at::Tensor high = weight.add(8).div(16).floor(), low = weight.sub(high.mul(16));
  std::vector<int64_t> terms;
  for (int64_t dim = 0; dim < weight.dim(); ++dim) {
    if (dim != ir::output_channel_axis(op)) terms.push_back(dim);
  }
  const auto sums_of = [&](const at::Tensor& part) -> at::Tensor {
    const double bound = part.abs().sum(terms).max().item<double>() * in.abs().max().item<double>();
    const at::ScalarType type = bound < (1 << 24) ? at::kFloat : at::kDouble;
    weight = part.to(type);
    if (type == at::kFloat && std::holds_alternative<ir::Linear>(op))
      return linear_sums(in, weight);
    return runtime::execute_op(op, {in.to(type)}, batch).to(at::kDouble);
  };
  return sums_of(high).mul(16).add(sums_of(low));
}

/// `function` of every row of the last dimension.
template <class Function>
at::Tensor by_rows(const at::Tensor& in, const Function& function) {
  at::Tensor out = in.contiguous().clone();
  const int64_t width = out.size(-1);
  for (float* row = out.data_ptr<float>(); row != out.data_ptr<float>() + out.numel();
       row += width) {
    const std::vector<float> result = function(std::vector<float>(row, row + width));
    std::copy(result.begin(), result.end(), row);
  }
  return out;
}

/// Of an activation function that is no ratio of whole numbers, one element at a time.
std::optional<at::Tensor> activation(const ir::Node& node, const at::Tensor& in) {
  const auto each = [&](float (*function)(float)) {
    return by_rows(in, [&](std::vector<float> row) {
      for (float& x : row) x = function(x);
      return row;
    });
  };
  if (node.is<ir::Sigmoid>()) return each(runtime::logistic);
  if (node.is<ir::Silu>()) return each([](float x) { return x * runtime::logistic(x); });
  if (const auto* gelu = node.as<ir::Gelu>(); gelu != nullptr && !gelu->tanh_approximation) {
    return each(
        [](float x) { return 0.5F * x * (1.0F + runtime::error_function(x * 0.707106781F)); });
  }
  return std::nullopt;
}

class OracleWalk {
 public:
  explicit OracleWalk(NetworkView network)
      : graph_(network.graph), index_(graph_), table_(network.table) {}

  at::Tensor run(const at::Tensor& images) {
    values_[graph_.input] = {images, {}, 0};
    for (const ir::Node& node : graph_.nodes)
      values_[node.output()] = value_of(node, images.size(0));
    return values_.at(graph_.output).floats;
  }

 private:
  OracleValue value_of(const ir::Node& node, int64_t batch) {
    if (const auto* fake = node.as<ir::FakeQuantize>()) {
      const auto params = quant::element_params(table_, fake->quantizer);
      return quantized(values_.at(node.inputs[0]).floats, std::get<quant::QParams>(params));
    }
    if (ir::weighted(node.op) != nullptr) return {layer(node, batch), {}, 0};
    if (node.is<ir::MatMul>()) return {product(node), {}, 0};
    if (takes_means(node)) return {mean(node, batch), {}, 0};
    if (node.inputs.empty()) return as_it_is(node, batch);
    const at::Tensor& first = values_.at(node.inputs[0]).floats;
    if (const auto* norm = node.as<ir::BatchNorm>()) return {batch_normalized(first, *norm), {}, 0};
    if (node.is<ir::Softmax>()) return {by_rows(first, softmax), {}, 0};
    if (const auto* norm = node.as<ir::LayerNorm>()) {
      return {by_rows(first, [&](const auto& row) { return normalized(row, *norm); }), {}, 0};
    }
    if (const auto values = activation(node, first)) return {*values, {}, 0};
    return as_it_is(node, batch);
  }

  at::Tensor layer(const ir::Node& node, int64_t batch) {
    const OracleValue& in = values_.at(node.inputs[0]);
    if (!in.is_codes()) throw std::logic_error(node.name + " reads no codes");
    const quant::IntegerTensor weight = quant::integer_weight(node, table_);
    ir::Op op = node.op;
    ir::Weighted& layer = *ir::weighted(op);
    layer.weight.value = weight.codes.to(at::kDouble);
    if (weight.zero_point.defined()) layer.weight.value = layer.weight.value.sub(weight.zero_point);
    layer.bias.reset();
    at::Tensor sums = exact_sums(op, in.integers, batch);
    const ir::Weighted& original = *ir::weighted(node.op);
    const bool codes = original.bias && original.bias_quantizer != ir::kNoQuantizer;
    if (codes) {
      const at::Tensor bias = quant::integer_bias(index_, node, table_).codes.to(at::kDouble);
      sums = sums.add(along_channels(bias, node, sums.dim()));
    }
    at::Tensor y =
        sums.to(at::kFloat).mul(along_channels(weight.scale.mul(in.scale), node, sums.dim()));
    if (original.bias && !codes) y = y.add(along_channels(original.bias->value, node, sums.dim()));
    return y;
  }

  at::Tensor product(const ir::Node& node) {
    const OracleValue &a = values_.at(node.inputs[0]), &b = values_.at(node.inputs[1]);
    if (!a.is_codes() || !b.is_codes()) throw std::logic_error(node.name + " reads no codes");
    return a.integers.matmul(b.integers).to(at::kFloat).mul(a.scale * b.scale);
  }

  /// Of codes float32(sum) * s / count, of floats sum / count.
  at::Tensor mean(const ir::Node& node, int64_t batch) {
    const OracleValue& in = values_.at(node.inputs[0]);
    const WindowSums windows = window_sums(node, in.is_codes() ? in.integers : in.floats, batch);
    const at::Tensor sums =
        in.is_codes() ? windows.sums.to(at::kFloat).mul(in.scale) : windows.sums;
    return sums.div(windows.counts);
  }

  /// Codes stay codes where an operation only moves or picks them.
  OracleValue as_it_is(const ir::Node& node, int64_t batch) {
    std::vector<at::Tensor> floats, integers;
    bool codes = quant::keeps_codes(node);
    float scale = 0;
    for (const ir::ValueId input : node.inputs) {
      const OracleValue& in = values_.at(input);
      floats.push_back(in.floats);
      codes = codes && in.is_codes() && (integers.empty() || in.scale == scale);
      if (codes) integers.push_back(in.integers), scale = in.scale;
    }
    OracleValue result{runtime::execute_op(node.op, floats, batch), {}, scale};
    if (codes) result.integers = runtime::execute_op(node.op, integers, batch);
    return result;
  }

  ir::Graph graph_;
  ir::Index index_;
  const quant::QuantizerTable& table_;
  std::unordered_map<ir::ValueId, OracleValue> values_;
};

}  // namespace

at::Tensor integer_oracle(NetworkView network, const at::Tensor& images) {
  return OracleWalk(network).run(images);
}

}  // namespace ptq::testing
