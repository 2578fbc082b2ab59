#include "passes/rounding/unfold.h"

#include <ATen/Parallel.h>

#include <algorithm>

#include "ptq/base/error.h"

namespace ptq::passes {
namespace {

int64_t output_extent(const ir::Conv& op, size_t dim, int64_t in, int64_t kernel) {
  const int64_t reach = op.dilation[dim] * (kernel - 1) + 1;
  return (in + 2 * op.padding[dim] - reach) / op.stride[dim] + 1;
}

int64_t output_extent(const ir::ConvTranspose& op, size_t dim, int64_t in, int64_t kernel) {
  return (in - 1) * op.stride[dim] - 2 * op.padding[dim] + op.dilation[dim] * (kernel - 1) +
         op.output_padding[dim] + 1;
}

/// The input position that tap `tap` of output position `position` meets; may lie outside.
int64_t source(const ir::Conv& op, size_t dim, int64_t position, int64_t tap) {
  return position * op.stride[dim] - op.padding[dim] + tap * op.dilation[dim];
}

int64_t source(const ir::ConvTranspose& op, size_t dim, int64_t position, int64_t tap) {
  const int64_t reached = position + op.padding[dim] - tap * op.dilation[dim];
  return reached >= 0 && reached % op.stride[dim] == 0 ? reached / op.stride[dim] : -1;
}

}  // namespace

Unfold::Unfold(const ir::Op& op, c10::IntArrayRef sizes)
    : images_(sizes.at(0)), channels_(sizes.at(1)) {
  const c10::IntArrayRef kernel = ir::weighted(op)->weight.value.sizes().slice(2);
  if (kernel.empty() || kernel.size() > 3 || sizes.size() != kernel.size() + 2) {
    throw InternalError("unfold: a convolution has one to three spatial dimensions");
  }
  if (const auto* conv = std::get_if<ir::Conv>(&op)) {
    set_axes(*conv, sizes, kernel);
  } else {
    set_axes(std::get<ir::ConvTranspose>(op), sizes, kernel);
  }
  taps_ = depth_.kernel * height_.kernel * width_.kernel;
  lines_of_image_ = depth_.out * height_.out;
}

template <class Convolution>
void Unfold::set_axes(const Convolution& op, c10::IntArrayRef sizes, c10::IntArrayRef kernel) {
  Axis* const axes[] = {&depth_, &height_, &width_};
  const size_t missing = 3 - kernel.size();
  bool moves_nothing = true;
  for (size_t dim = 0; dim < kernel.size(); ++dim) {
    Axis& axis = *axes[dim + missing];
    axis.in = sizes[dim + 2];
    axis.kernel = kernel[dim];
    axis.out = output_extent(op, dim, axis.in, axis.kernel);
    axis.sources.clear();
    for (int64_t tap = 0; tap < axis.kernel; ++tap) {
      for (int64_t position = 0; position < axis.out; ++position) {
        const int64_t from = source(op, dim, position, tap);
        axis.sources.push_back(from < axis.in ? std::max<int64_t>(from, -1) : -1);
        moves_nothing = moves_nothing && axis.kernel == 1 && from == position;
      }
    }
    moves_nothing = moves_nothing && axis.in == axis.out;
  }
  if (moves_nothing) merge_axes();
  width_.find_runs();
}

/// Where all positions within the input are of this kind, they can be copied at once.
void Unfold::Axis::find_runs() {
  runs.clear();
  for (int64_t tap = 0; tap < kernel; ++tap) {
    Run run;
    while (run.begin < out && source(tap, run.begin) < 0) ++run.begin;
    run.end = run.begin;
    while (run.end < out && source(tap, run.end) == source(tap, run.begin) + run.end - run.begin) {
      ++run.end;
    }
    bool is_all = run.begin < run.end;
    for (int64_t i = run.end; i < out; ++i) is_all = is_all && source(tap, i) < 0;
    runs.push_back(is_all ? run : Run{});
  }
}

/// Of a convolution over single positions: an image is one long line.
void Unfold::merge_axes() {
  width_.in = width_.out = depth_.in * height_.in * width_.in;
  width_.sources.resize(static_cast<size_t>(width_.out));
  for (int64_t i = 0; i < width_.out; ++i) width_.sources[static_cast<size_t>(i)] = i;
  depth_ = height_ = Axis();
}

void Unfold::fill_line(const float* image, const Tap& tap, int64_t line, float* out) const {
  const int64_t depth = depth_.source(tap.depth, line / height_.out);
  const int64_t height = height_.source(tap.height, line % height_.out);
  if (depth < 0 || height < 0) {
    std::fill(out, out + width_.out, 0.0F);
    return;
  }
  const float* const from = image + (depth * height_.in + height) * width_.in;
  if (const Axis::Run run = width_.runs[static_cast<size_t>(tap.width)]; run.begin < run.end) {
    std::fill(out, out + run.begin, 0.0F);
    std::copy_n(from + width_.source(tap.width, run.begin), run.end - run.begin, out + run.begin);
    std::fill(out + run.end, out + width_.out, 0.0F);
    return;
  }
  const int64_t* const sources = &width_.sources[static_cast<size_t>(tap.width * width_.out)];
  for (int64_t i = 0; i < width_.out; ++i) out[i] = sources[i] < 0 ? 0.0F : from[sources[i]];
}

void Unfold::fill_rows(const at::Tensor& input, int64_t first, int64_t last, int64_t begin,
                       int64_t end, float* out) const {
  const float* const data = input.data_ptr<float>();
  const int64_t plane = depth_.in * height_.in * width_.in;
  for (int64_t row = first; row < last; ++row) {
    const int64_t channel = row / taps_, tap = row % taps_;
    const Tap place{tap / (height_.kernel * width_.kernel), tap / width_.kernel % height_.kernel,
                    tap % width_.kernel};
    for (int64_t line = begin; line < end; ++line, out += line_length()) {
      const int64_t image = line / lines_of_image_;
      fill_line(data + (image * channels_ + channel) * plane, place, line % lines_of_image_, out);
    }
  }
}

void Unfold::fill(const at::Tensor& input, int64_t begin, int64_t end, at::Tensor& out) const {
  float* const to = out.data_ptr<float>();
  const int64_t length = (end - begin) * line_length();
  at::parallel_for(0, rows(), 1, [&](int64_t first, int64_t last) {
    fill_rows(input, first, last, begin, end, to + first * length);
  });
}

}  // namespace ptq::passes
