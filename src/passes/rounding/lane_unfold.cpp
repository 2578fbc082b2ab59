#include "passes/rounding/lane_unfold.h"

#include <algorithm>

#include "ptq/base/error.h"

namespace ptq::passes {

LaneUnfold::LaneUnfold(const ir::Conv& op, c10::IntArrayRef sizes)
    : images_(sizes.at(0)),
      channels_(sizes.at(1)),
      groups_(op.groups),
      channels_of_group_(channels_ / op.groups) {
  const c10::IntArrayRef kernel = op.weight.value.sizes().slice(2);
  if (kernel.empty() || kernel.size() > 3 || sizes.size() != kernel.size() + 2) {
    throw InternalError("unfold: a convolution has one to three spatial dimensions");
  }
  Axis* const axes[] = {&depth_, &height_, &width_};
  for (size_t dim = 0; dim < kernel.size(); ++dim) {
    Axis& axis = *axes[dim + 3 - kernel.size()];
    axis.in = sizes[dim + 2];
    axis.kernel = kernel[dim];
    axis.stride = op.stride[dim];
    axis.padding = op.padding[dim];
    axis.dilation = op.dilation[dim];
    const int64_t reach = (axis.kernel - 1) * axis.dilation + 1;
    axis.out = (axis.in + 2 * axis.padding - reach) / axis.stride + 1;
  }
}

int64_t LaneUnfold::Axis::source(int64_t position, int64_t tap) const {
  const int64_t from = position * stride - padding + tap * dilation;
  return from < in ? std::max<int64_t>(from, -1) : -1;
}

LaneRows LaneUnfold::rows() const {
  LaneRows rows;
  rows.step = width_.stride * kLanes;
  rows.count = width_.out;
  const int64_t line = width_.length() * kLanes, lines = taps() / width_.kernel;
  for (int64_t i = 0; i < channels_of_group_ * lines; ++i) {
    for (int64_t tap = 0; tap < width_.kernel; ++tap) {
      rows.offsets.push_back(i * line + tap * width_.dilation * kLanes);
    }
  }
  rows.size = channels_of_group_ * lines * line;
  return rows;
}

int64_t LaneUnfold::input_line(int64_t line, int64_t outer_tap) const {
  const int64_t image = line / (depth_.out * height_.out);
  const int64_t depth = depth_.source(line / height_.out % depth_.out, outer_tap / height_.kernel);
  const int64_t height = height_.source(line % height_.out, outer_tap % height_.kernel);
  if (depth < 0 || height < 0) return -1;
  return ((image * depth_.in + depth) * height_.in + height) * width_.in * channels_;
}

void LaneUnfold::fill(const float* input, int64_t first_group, int64_t used, int64_t line,
                      float* out) const {
  const int64_t outer_taps = taps() / width_.kernel;
  for (int64_t channel = 0; channel < channels_of_group_; ++channel) {
    for (int64_t outer = 0; outer < outer_taps; ++outer) {
      const int64_t begin = input_line(line, outer);
      const float* const from =
          input + std::max<int64_t>(begin, 0) + first_group * channels_of_group_ + channel;
      for (int64_t i = -width_.padding; i < width_.length() - width_.padding; ++i, out += kLanes) {
        if (begin < 0 || i < 0 || i >= width_.in) {
          std::fill_n(out, used, 0.0F);
        } else if (channels_of_group_ == 1 && used == kLanes) {
          std::copy_n(from + i * channels_, kLanes, out);
        } else {
          for (int64_t lane = 0; lane < used; ++lane) {
            out[lane] = from[i * channels_ + lane * channels_of_group_];
          }
        }
      }
    }
  }
}

}  // namespace ptq::passes
