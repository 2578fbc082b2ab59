#include <algorithm>

#include "base/vector_loop.h"
#include "runtime/integer/layer_step.h"
#include "runtime/steps/windows.h"

namespace ptq::runtime::integer {
namespace {

constexpr VectorLoop raise_to = [](const uint8_t* __restrict from, int64_t count,
                                   uint8_t* __restrict out) {
  for (int64_t i = 0; i < count; ++i) out[i] = out[i] < from[i] ? from[i] : out[i];
};

/// The largest code of every window: codes grow with what they stand for.
class LargestCode : public Step {
 public:
  LargestCode(PooledValue plane, Spans rows, Spans columns, int64_t dilation_y, int64_t dilation_x)
      : plane_(plane),
        rows_(std::move(rows)),
        columns_(std::move(columns)),
        dilation_y_(dilation_y),
        dilation_x_(dilation_x) {}

  Bound bind(const std::vector<at::Tensor>& inputs, const at::Tensor& out,
             void* /*scratch*/) const override {
    return [step = *this, in = inputs.at(0).data_ptr<uint8_t>(), out = out.data_ptr<uint8_t>()] {
      step.run(in, out);
    };
  }

 private:
  void run(const uint8_t* in, uint8_t* out) const {
    for (int64_t image = 0; image < plane_.images; ++image) {
      for (const Span& row : rows_) {
        for (const Span& column : columns_) {
          window(in, row, column, out);
          out += plane_.channels;
        }
      }
      in += plane_.height * plane_.width * plane_.channels;
    }
  }

  void window(const uint8_t* in, const Span& row, const Span& column, uint8_t* out) const {
    std::fill_n(out, plane_.channels, uint8_t{0});
    for (int64_t y = row.begin; y < row.end; y += dilation_y_) {
      for (int64_t x = column.begin; x < column.end; x += dilation_x_) {
        const uint8_t* from = in + (y * plane_.width + x) * plane_.channels;
        raise_to(from, plane_.channels, out);
      }
    }
  }

  PooledValue plane_;
  Spans rows_, columns_;
  int64_t dilation_y_, dilation_x_;
};

}  // namespace

BuiltStep build_max_pool(const StepRequest& request) {
  const auto& op = *request.node.as<ir::MaxPool>();
  if (!is_channels_last(request.inputs[0]) || !request.tail.empty()) return {};
  const PooledValue plane = pooled_value(request.inputs[0]);
  const Extents& stride = op.stride.empty() ? op.kernel : op.stride;
  Layout out = channels_innermost(request.sizes);
  out.dtype = at::kByte, out.codes = request.inputs[0].codes;
  return {std::make_unique<LargestCode>(plane,
                                        window_spans(plane.height, out.sizes[2], op.kernel[0],
                                                     stride[0], op.padding[0], op.dilation[0]),
                                        window_spans(plane.width, out.sizes[3], op.kernel[1],
                                                     stride[1], op.padding[1], op.dilation[1]),
                                        op.dilation[0], op.dilation[1]),
          out};
}

}  // namespace ptq::runtime::integer
