#include "passes/unfold.h"

#include <algorithm>

#include "passes/weight_rows.h"
#include "ptq/base/error.h"

namespace ptq::passes {
namespace {

/// How windows move in one dimension: output position o and tap t meet `o * step + t * tap_step +
/// begin`, and the input's position i is at `i * spacing`.
struct Motion {
  int64_t out, step, tap_step, begin, spacing;
};

Motion motion(const ir::Conv& op, size_t dim, int64_t in, int64_t kernel) {
  const int64_t reach = op.dilation[dim] * (kernel - 1) + 1;
  const int64_t out = (in + 2 * op.padding[dim] - reach) / op.stride[dim] + 1;
  return {out, op.stride[dim], op.dilation[dim], -op.padding[dim], 1};
}

Motion motion(const ir::ConvTranspose& op, size_t dim, int64_t in, int64_t kernel) {
  const int64_t out = (in - 1) * op.stride[dim] - 2 * op.padding[dim] +
                      op.dilation[dim] * (kernel - 1) + op.output_padding[dim] + 1;
  return {out, 1, -op.dilation[dim], op.padding[dim], op.stride[dim]};
}

}  // namespace

Unfold::Unfold(const ir::Op& op, c10::IntArrayRef sizes) : groups_(groups_of(op)) {
  if (std::holds_alternative<ir::Linear>(op)) {
    channels_ = sizes.back();
    for (const int64_t extent : sizes.slice(0, sizes.size() - 1)) images_ *= extent;
    is_linear_ = is_input_ = true;
    return;
  }
  const c10::IntArrayRef kernel = ir::weighted(op)->weight.value.sizes().slice(2);
  if (kernel.empty() || kernel.size() > 3 || sizes.size() != kernel.size() + 2) {
    throw InternalError("unfold: a convolution has one to three spatial dimensions");
  }
  images_ = sizes[0];
  channels_ = sizes[1];
  if (const auto* conv = std::get_if<ir::Conv>(&op)) {
    set_axes(*conv, sizes, kernel);
  } else {
    set_axes(std::get<ir::ConvTranspose>(op), sizes, kernel);
  }
  taps_ = depth_.kernel * height_.kernel * width_.kernel;
}

template <class Convolution>
void Unfold::set_axes(const Convolution& op, c10::IntArrayRef sizes, c10::IntArrayRef kernel) {
  Axis* const axes[] = {&depth_, &height_, &width_};
  const size_t missing = 3 - kernel.size();
  is_input_ = true;
  for (size_t dim = 0; dim < kernel.size(); ++dim) {
    Axis& axis = *axes[dim + missing];
    axis.in = sizes[dim + 2];
    axis.kernel = kernel[dim];
    const Motion move = motion(op, dim, axis.in, axis.kernel);
    axis.out = move.out;
    axis.step = move.step;
    const int64_t last_tap = (axis.kernel - 1) * move.tap_step;
    const int64_t first = move.begin + std::min<int64_t>(last_tap, 0);
    axis.offsets.clear();
    for (int64_t tap = 0; tap < axis.kernel; ++tap) {
      axis.offsets.push_back(move.begin + tap * move.tap_step - first);
    }
    const int64_t end =
        first + (axis.out - 1) * axis.step + std::max(axis.offsets.front(), axis.offsets.back());
    axis.inputs.clear();
    for (int64_t at = first; at <= end; ++at) {
      const bool is_input = at >= 0 && at % move.spacing == 0 && at / move.spacing < axis.in;
      axis.inputs.push_back(is_input ? at / move.spacing : -1);
    }
    is_input_ = is_input_ && axis.kernel == 1 && axis.in == axis.out && axis.step == 1 &&
                axis.inputs.front() == 0 && axis.inputs.back() == axis.in - 1;
  }
}

at::Tensor Unfold::channels_innermost(const at::Tensor& input) const {
  return (is_linear_ ? input : input.movedim(1, -1)).contiguous();
}

int64_t Unfold::input_line(int64_t line, int64_t outer_tap) const {
  const int64_t image = line / (depth_.out * height_.out);
  const int64_t depth = depth_.source(outer_tap / height_.kernel, line / height_.out % depth_.out);
  const int64_t height = height_.source(outer_tap % height_.kernel, line % height_.out);
  if (depth < 0 || height < 0) return -1;
  return ((image * depth_.in + depth) * height_.in + height) * width_.in * channels_;
}

void Unfold::fill(const at::Tensor& input, int64_t group, int64_t begin, int64_t end,
                  float* out) const {
  const int64_t count = channels_of_group(), length = depth();
  const float* const channels = input.data_ptr<float>() + group * count;
  for (int64_t row = begin; row < end;) {
    const int64_t line = row / width_.out, first = row % width_.out;
    const int64_t last = std::min(width_.out, first + end - row);
    for (int64_t tap = 0; tap < taps_; ++tap) {
      const int64_t from = input_line(line, tap / width_.kernel);
      float* to = out + (row - begin) * length + tap * count;
      for (int64_t i = first; i < last; ++i, to += length) {
        const int64_t width = width_.source(tap % width_.kernel, i);
        if (from < 0 || width < 0) {
          std::fill_n(to, count, 0.0F);
        } else {
          std::copy_n(channels + from + width * channels_, count, to);
        }
      }
    }
    row += last - first;
  }
}

LaneRows Unfold::lane_rows() const {
  LaneRows rows;
  rows.step = width_.step * kLanes;
  rows.count = width_.out;
  const int64_t line = width_.length() * kLanes;
  for (int64_t tap = 0; tap < taps_; ++tap) {
    const int64_t in_line = width_.offsets[static_cast<size_t>(tap % width_.kernel)] * kLanes;
    for (int64_t channel = 0; channel < channels_of_group(); ++channel) {
      const int64_t lines = tap / width_.kernel * channels_of_group() + channel;
      rows.offsets.push_back(lines * line + in_line);
    }
  }
  rows.size = taps_ / width_.kernel * channels_of_group() * line;
  return rows;
}

void Unfold::fill_lanes(const at::Tensor& input, int64_t first_group, int64_t used, int64_t line,
                        float* out) const {
  const int64_t count = channels_of_group();
  const float* const channels = input.data_ptr<float>() + first_group * count;
  for (int64_t outer = 0; outer < taps_ / width_.kernel; ++outer) {
    const int64_t from = input_line(line, outer);
    for (int64_t channel = 0; channel < count; ++channel) {
      for (const int64_t position : width_.inputs) {
        const float* const first = channels + from + position * channels_ + channel;
        if (from < 0 || position < 0) {
          std::fill_n(out, used, 0.0F);
        } else if (count == 1 && used == kLanes) {
          std::copy_n(first, kLanes, out);
        } else {
          for (int64_t lane = 0; lane < used; ++lane) out[lane] = first[lane * count];
        }
        out += kLanes;
      }
    }
  }
}

}  // namespace ptq::passes
