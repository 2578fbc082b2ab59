#include "runtime/steps/means.h"

#include <algorithm>
#include <cstring>

#include "base/vector_loop.h"
#include "quant/integer_arithmetic.h"
#include "runtime/steps/windows.h"

namespace ptq::runtime {
namespace {

/// What the sum of a window is divided by.
enum class Divisor { kInside, kCounted, kGiven };

/// The part of a window that lies in the image. `between_rows` is in elements.
struct Window {
  int64_t rows, columns, between_rows;
};

constexpr int64_t kSummed = 16;
/// One vector, or several where the processor's are shorter.
using Summed [[gnu::vector_size(kSummed * sizeof(float))]] = float;

/// Sums of kVectors * 16 channels, which stay in registers.
template <int64_t kVectors>
inline void add_columns(const float* in, const Window& window, int64_t channels, float* sums) {
  Summed sum[kVectors] = {};
  for (int64_t y = 0; y < window.rows; ++y) {
    const float* from = in + y * window.between_rows;
    for (int64_t x = 0; x < window.columns; ++x, from += channels) {
      Summed term[kVectors];
      std::memcpy(&term, from, sizeof(term));
      for (int64_t i = 0; i < kVectors; ++i) sum[i] += term[i];
    }
  }
  std::memcpy(sums, &sum, sizeof(sum));
}

inline void add_column(const float* in, const Window& window, int64_t channels, float* sum) {
  *sum = 0;
  for (int64_t y = 0; y < window.rows; ++y) {
    const float* from = in + y * window.between_rows;
    for (int64_t x = 0; x < window.columns; ++x, from += channels) *sum += *from;
  }
}

constexpr VectorLoop mean_of_floats = [](const float* in, Window window, int64_t channels,
                                         float count, float* out) {
  int64_t c = 0;
  for (; c + 4 * kSummed <= channels; c += 4 * kSummed) {
    add_columns<4>(in + c, window, channels, out + c);
  }
  for (; c + kSummed <= channels; c += kSummed) {
    add_columns<1>(in + c, window, channels, out + c);
  }
  for (; c < channels; ++c) add_column(in + c, window, channels, out + c);
  for (c = 0; c < channels; ++c) out[c] /= count;
};

constexpr VectorLoop add_bytes = [](const uint8_t* __restrict from, int64_t count,
                                    int32_t* __restrict sums) {
  for (int64_t i = 0; i < count; ++i) sums[i] += from[i];
};

/// Means of the windows that `rows` and `columns` span.
class WindowMeans : public Step {
 public:
  WindowMeans(PooledValue plane, Spans rows, Spans columns, Divisor divisor, int64_t given,
              std::optional<quant::ByteFormat> codes)
      : plane_(plane),
        rows_(std::move(rows)),
        columns_(std::move(columns)),
        divisor_(divisor),
        given_(given),
        codes_(codes) {}

  Bound bind(const std::vector<at::Tensor>& inputs, const at::Tensor& out,
             void* /*scratch*/) const override {
    float* means = out.data_ptr<float>();
    if (!codes_) {
      return [step = *this, in = inputs.at(0).data_ptr<float>(), means] {
        step.run(in, means, [&](const float* from, const Window& window, float count, float* to) {
          mean_of_floats(from, window, step.plane_.channels, count, to);
        });
      };
    }
    return [step = *this, in = inputs.at(0).data_ptr<uint8_t>(), means,
            sums = std::vector<int32_t>(static_cast<size_t>(plane_.channels))]() mutable {
      step.run(in, means, [&](const uint8_t* from, const Window& window, float count, float* to) {
        step.mean_of_codes(from, window, count, sums, to);
      });
    };
  }

 private:
  template <class Element, class Mean>
  void run(const Element* in, float* out, const Mean& mean) const {
    for (int64_t image = 0; image < plane_.images; ++image) {
      for (const Span& row : rows_) {
        for (const Span& column : columns_) {
          const Window window{std::max<int64_t>(0, row.end - row.begin),
                              std::max<int64_t>(0, column.end - column.begin),
                              plane_.width * plane_.channels};
          mean(in + (row.begin * plane_.width + column.begin) * plane_.channels, window,
               count(window, row.counted * column.counted), out);
          out += plane_.channels;
        }
      }
      in += plane_.height * plane_.width * plane_.channels;
    }
  }

  float count(const Window& window, int64_t counted) const {
    return static_cast<float>(divisor_ == Divisor::kGiven    ? given_
                              : divisor_ == Divisor::kInside ? window.rows * window.columns
                                                             : counted);
  }

  void mean_of_codes(const uint8_t* in, const Window& window, float count,
                     std::vector<int32_t>& sums, float* out) const {
    std::fill(sums.begin(), sums.end(), 0);
    for (int64_t y = 0; y < window.rows; ++y) {
      const uint8_t* from = in + y * window.between_rows;
      for (int64_t x = 0; x < window.columns; ++x, from += plane_.channels) {
        add_bytes(from, plane_.channels, sums.data());
      }
    }
    const auto zeros = static_cast<int32_t>(window.rows * window.columns * codes_->zero());
    for (const int32_t sum : sums) {
      *out++ = quant::accumulated_value(sum - zeros, codes_->params.scale) / count;
    }
  }

  PooledValue plane_;
  Spans rows_, columns_;
  Divisor divisor_;
  int64_t given_;
  std::optional<quant::ByteFormat> codes_;
};

/// The size of the output along height and width.
int64_t windows_along(const StepRequest& request, size_t axis) {
  const Extents& sizes = request.sizes;
  return along({sizes.begin() + 2, sizes.end()}, axis, 1);
}

BuiltStep means(const StepRequest& request, PooledValue plane, Spans rows, Spans columns,
                const Layout& out, Divisor divisor = Divisor::kInside, int64_t given = 0) {
  return tailed(std::make_unique<WindowMeans>(plane, std::move(rows), std::move(columns), divisor,
                                              given, request.inputs[0].codes),
                request.tail, out);
}

BuiltStep average(const StepRequest& request, const ir::AvgPool& op) {
  const PooledValue plane = pooled_value(request.inputs[0]);
  const Extents& stride = op.stride.empty() ? op.kernel : op.stride;
  const auto spans = [&](int64_t in, size_t axis) {
    return window_spans(in, windows_along(request, axis), along(op.kernel, axis, 1),
                        along(stride, axis, 1), along(op.padding, axis, 0), 1);
  };
  const Divisor divisor = op.divisor_override    ? Divisor::kGiven
                          : op.count_include_pad ? Divisor::kCounted
                                                 : Divisor::kInside;
  return means(request, plane, spans(plane.height, 0), spans(plane.width, 1),
               channels_innermost(request.sizes), divisor, op.divisor_override.value_or(0));
}

BuiltStep adaptive(const StepRequest& request) {
  const PooledValue plane = pooled_value(request.inputs[0]);
  return means(request, plane, adaptive_spans(plane.height, windows_along(request, 0)),
               adaptive_spans(plane.width, windows_along(request, 1)),
               channels_innermost(request.sizes));
}

std::vector<bool> marked(const Extents& dims, size_t rank) {
  std::vector<bool> result(rank);
  const auto extent = static_cast<int64_t>(rank);
  for (const int64_t dim : dims) result[static_cast<size_t>((dim + extent) % extent)] = true;
  return result;
}

BuiltStep over_dimensions(const StepRequest& request, const ir::Mean& op) {
  const Layout& in = request.inputs[0];
  const std::vector<bool> summed = marked(op.dims, in.sizes.size());
  int64_t terms = 1;
  for (size_t dim = 0; dim < summed.size(); ++dim) terms *= summed[dim] ? in.sizes[dim] : 1;
  const int64_t images = summed[0] ? 1 : in.sizes[0];
  if (terms == 0 || images == 0) return {};
  const PooledValue plane{images, in.elements() / terms / images, 1, terms};
  const bool planes = op.keepdim && summed == std::vector<bool>{false, false, true, true};
  return means(request, plane, adaptive_spans(1, 1), adaptive_spans(terms, 1),
               planes ? channels_last(request.sizes) : row_major(request.sizes));
}

}  // namespace

Layout layout_for_mean(const Extents& sizes, const Extents& dims) {
  const std::vector<bool> summed = marked(dims, sizes.size());
  Layout layout = row_major(sizes);
  int64_t stride = 1;
  // From innermost: what is kept, what is added up, and the images, unless they are added up.
  for (const bool turn : {false, true}) {
    for (size_t dim = sizes.size(); dim-- > 1;) {
      if (summed[dim] != turn) continue;
      layout.strides[dim] = stride;
      stride *= std::max<int64_t>(sizes[dim], 1);
    }
  }
  if (!sizes.empty()) layout.strides[0] = stride;
  return layout;
}

BuiltStep build_mean(const StepRequest& request) {
  const Layout& in = request.inputs[0];
  if (const auto* op = request.node.as<ir::Mean>()) {
    const bool fits = same_places(in, layout_for_mean(in.sizes, op->dims));
    return fits ? over_dimensions(request, *op) : BuiltStep{};
  }
  const size_t rank = in.sizes.size();
  if ((rank != 3 && rank != 4) || !same_places(in, channels_innermost(in.sizes))) return {};
  if (const auto* op = request.node.as<ir::AvgPool>()) return average(request, *op);
  return adaptive(request);
}

}  // namespace ptq::runtime
