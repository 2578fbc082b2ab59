#include <algorithm>
#include <functional>

#include "base/vector_loop.h"
#include "runtime/integer/layer_step.h"

namespace ptq::runtime::integer {
namespace {

/// From the first element of a window along one axis to past the last one, inside the input, and
/// how many the window counts with padding.
struct Span {
  int64_t begin, end, counted;
};

using Spans = std::vector<Span>;

Spans window_spans(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t padding,
                   int64_t dilation) {
  Spans spans;
  for (int64_t i = 0; i < out; ++i) {
    const int64_t begin = i * stride - padding;
    const int64_t end = std::min(begin + (kernel - 1) * dilation + 1, in + padding);
    spans.push_back({begin, std::min(end, in), end - begin});
    while (spans.back().begin < 0) spans.back().begin += dilation;
  }
  return spans;
}

Spans adaptive_spans(int64_t in, int64_t out) {
  Spans spans;
  for (int64_t i = 0; i < out; ++i) {
    const int64_t begin = i * in / out, end = ((i + 1) * in + out - 1) / out;
    spans.push_back({begin, end, end - begin});
  }
  return spans;
}

struct PooledValue {
  int64_t images, channels, height, width;
};

PooledValue pooled_value(const Layout& in) {
  return {in.sizes[0], in.sizes[1], in.sizes[2], in.sizes[3]};
}

constexpr VectorLoop raise_to = [](const uint8_t* __restrict from, int64_t count,
                                   uint8_t* __restrict out) {
  for (int64_t i = 0; i < count; ++i) out[i] = out[i] < from[i] ? from[i] : out[i];
};

constexpr VectorLoop add_bytes = [](const uint8_t* __restrict from, int64_t count,
                                    int32_t* __restrict sums) {
  for (int64_t i = 0; i < count; ++i) sums[i] += from[i];
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

/// What the sum of a window is divided by.
enum class Divisor { kInside, kCounted, kGiven };

/// Means of windows: float32(sum of (code - z)) * s / count, each operation rounded once.
class MeanOfCodes : public Step {
 public:
  MeanOfCodes(PooledValue plane, Spans rows, Spans columns, quant::ByteFormat format,
              Divisor divisor, int64_t given)
      : plane_(plane),
        rows_(std::move(rows)),
        columns_(std::move(columns)),
        format_(format),
        divisor_(divisor),
        given_(given) {}

  Bound bind(const std::vector<at::Tensor>& inputs, const at::Tensor& out,
             void* /*scratch*/) const override {
    return [step = *this, in = inputs.at(0).data_ptr<uint8_t>(), out = out.data_ptr<float>()] {
      step.run(in, out);
    };
  }

 private:
  void run(const uint8_t* in, float* out) const {
    std::vector<int32_t> sums(static_cast<size_t>(plane_.channels));
    for (int64_t image = 0; image < plane_.images; ++image) {
      for (const Span& row : rows_) {
        for (const Span& column : columns_) {
          window(in, row, column, sums.data(), out);
          out += plane_.channels;
        }
      }
      in += plane_.height * plane_.width * plane_.channels;
    }
  }

  void window(const uint8_t* in, const Span& row, const Span& column, int32_t* sums,
              float* out) const {
    std::fill_n(sums, plane_.channels, 0);
    for (int64_t y = row.begin; y < row.end; ++y) {
      for (int64_t x = column.begin; x < column.end; ++x) {
        const uint8_t* from = in + (y * plane_.width + x) * plane_.channels;
        add_bytes(from, plane_.channels, sums);
      }
    }
    const int64_t inside =
        std::max<int64_t>(0, row.end - row.begin) * std::max<int64_t>(0, column.end - column.begin);
    const auto zeros = static_cast<int32_t>(inside * format_.zero());
    const auto count =
        static_cast<float>(divisor_ == Divisor::kGiven    ? given_
                           : divisor_ == Divisor::kInside ? inside
                                                          : row.counted * column.counted);
    for (int64_t c = 0; c < plane_.channels; ++c) {
      out[c] = quant::accumulated_value(sums[c] - zeros, format_.params.scale) / count;
    }
  }

  PooledValue plane_;
  Spans rows_, columns_;
  quant::ByteFormat format_;
  Divisor divisor_;
  int64_t given_;
};

Extents stride_of(const Extents& stride, const Extents& kernel) {
  return stride.empty() ? kernel : stride;
}

BuiltStep largest(const StepRequest& request, const ir::MaxPool& op) {
  if (!request.tail.empty()) return {};
  const PooledValue plane = pooled_value(request.inputs[0]);
  const Extents stride = stride_of(op.stride, op.kernel);
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

BuiltStep mean(const StepRequest& request, Spans rows, Spans columns, Divisor divisor,
               int64_t given) {
  auto step =
      std::make_unique<MeanOfCodes>(pooled_value(request.inputs[0]), std::move(rows),
                                    std::move(columns), *request.inputs[0].codes, divisor, given);
  const bool four = request.sizes.size() == 4;
  return tailed(std::move(step), request.tail,
                four ? channels_innermost(request.sizes) : row_major(request.sizes));
}

BuiltStep average(const StepRequest& request, const ir::AvgPool& op) {
  const PooledValue plane = pooled_value(request.inputs[0]);
  const Extents stride = stride_of(op.stride, op.kernel);
  const Divisor divisor = op.divisor_override    ? Divisor::kGiven
                          : op.count_include_pad ? Divisor::kCounted
                                                 : Divisor::kInside;
  return mean(
      request,
      window_spans(plane.height, request.sizes[2], op.kernel[0], stride[0], op.padding[0], 1),
      window_spans(plane.width, request.sizes[3], op.kernel[1], stride[1], op.padding[1], 1),
      divisor, op.divisor_override.value_or(0));
}

BuiltStep adaptive(const StepRequest& request, const ir::AdaptiveAvgPool& op) {
  const PooledValue plane = pooled_value(request.inputs[0]);
  return mean(request, adaptive_spans(plane.height, op.output_size[0]),
              adaptive_spans(plane.width, op.output_size[1]), Divisor::kInside, 0);
}

bool is_over_height_and_width(Extents dims) {
  for (int64_t& dim : dims) dim = (dim + 4) % 4;
  std::sort(dims.begin(), dims.end());
  return dims == Extents{2, 3};
}

}  // namespace

BuiltStep build_pool(const StepRequest& request) {
  const Layout& in = request.inputs[0];
  if (!is_channels_last(in)) return {};
  if (const auto* op = request.node.as<ir::MaxPool>()) return largest(request, *op);
  if (const auto* op = request.node.as<ir::AvgPool>()) return average(request, *op);
  if (const auto* op = request.node.as<ir::AdaptiveAvgPool>()) return adaptive(request, *op);
  const auto* op = request.node.as<ir::Mean>();
  if (op == nullptr || !is_over_height_and_width(op->dims)) return {};
  return mean(request, adaptive_spans(in.sizes[2], 1), adaptive_spans(in.sizes[3], 1),
              Divisor::kInside, 0);
}

}  // namespace ptq::runtime::integer
