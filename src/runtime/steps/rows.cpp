#include <algorithm>
#include <functional>

#include "quant/integer_arithmetic.h"
#include "runtime/steps/row_functions.h"
#include "runtime/steps/step.h"

namespace ptq::runtime {
namespace {

/// From a row of floats to as many.
using RowFunction = std::function<void(const float* in, float* out)>;

/// Floats that are quantized together, while they are in the first cache.
constexpr int64_t kQuantizedAtOnce = 2048;

/// A function of every row, and the codes of what it gives where the tail is their quantization.
class RowStep : public Step {
 public:
  RowStep(RowFunction function, int64_t rows, int64_t width, std::optional<quant::ByteFormat> codes)
      : function_(std::move(function)), rows_(rows), width_(width), codes_(codes) {}

  int64_t scratch_bytes() const override {
    return codes_ ? rows_at_once() * width_ * static_cast<int64_t>(sizeof(float)) : 0;
  }
  Bound bind(const std::vector<at::Tensor>& inputs, const at::Tensor& out,
             void* scratch) const override {
    const float* in = inputs.at(0).data_ptr<float>();
    if (!codes_) {
      return [step = *this, in, to = out.data_ptr<float>()] {
        for (int64_t row = 0; row < step.rows_; ++row) {
          step.function_(in + row * step.width_, to + row * step.width_);
        }
      };
    }
    return [step = *this, in, to = out.data_ptr<uint8_t>(), floats = static_cast<float*>(scratch)] {
      step.run_to_codes(in, floats, to);
    };
  }

 private:
  int64_t rows_at_once() const { return std::max<int64_t>(1, kQuantizedAtOnce / width_); }

  void run_to_codes(const float* in, float* floats, uint8_t* to) const {
    for (int64_t first = 0; first < rows_; first += rows_at_once()) {
      const int64_t rows = std::min(rows_at_once(), rows_ - first);
      for (int64_t row = 0; row < rows; ++row) {
        function_(in + (first + row) * width_, floats + row * width_);
      }
      quant::quantize(floats, to + first * width_, rows * width_, *codes_);
    }
  }

  RowFunction function_;
  int64_t rows_, width_;
  std::optional<quant::ByteFormat> codes_;
};

at::Tensor value_of(const std::optional<ir::Parameter>& parameter) {
  return parameter ? parameter->value.contiguous() : at::Tensor();
}

const float* floats_of(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.data_ptr<float>() : nullptr;
}

/// Whether `layout` is rows of its last dimension, densely, in whatever order.
bool is_rows(const Layout& layout) {
  return !layout.sizes.empty() && layout.sizes.back() > 0 && is_dense(layout) &&
         memory_order(layout).back() == layout.sizes.size() - 1;
}

BuiltStep row_step(const StepRequest& request, RowFunction function) {
  const Layout& in = request.inputs[0];
  const int64_t width = in.sizes.back(), rows = in.elements() / width;
  if (request.tail.size() == 1 && makes_codes(request.tail)) {
    return {std::make_unique<RowStep>(std::move(function), rows, width, request.tail[0].codes),
            after_tail(request.tail, in)};
  }
  return tailed(std::make_unique<RowStep>(std::move(function), rows, width, std::nullopt),
                request.tail, in);
}

}  // namespace

BuiltStep build_softmax(const StepRequest& request) {
  const Layout& in = request.inputs[0];
  const auto rank = static_cast<int64_t>(in.sizes.size());
  const int64_t dim = request.node.as<ir::Softmax>()->dim;
  if (!is_rows(in) || (dim + rank) % rank != rank - 1) return {};
  return row_step(request, [width = in.sizes.back()](const float* row, float* out) {
    softmax_row(row, width, out);
  });
}

BuiltStep build_layer_norm(const StepRequest& request) {
  const Layout& in = request.inputs[0];
  const auto& op = *request.node.as<ir::LayerNorm>();
  if (!is_rows(in) || op.normalized_shape.size() != 1) return {};
  return row_step(request,
                  [width = in.sizes.back(), weight = value_of(op.weight), bias = value_of(op.bias),
                   eps = static_cast<float>(op.eps)](const float* row, float* out) {
                    normalize_row(row, width, floats_of(weight), floats_of(bias), eps, out);
                  });
}

}  // namespace ptq::runtime
