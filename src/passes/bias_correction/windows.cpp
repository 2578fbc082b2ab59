#include "passes/bias_correction/windows.h"

#include <map>

#include "ptq/base/error.h"

namespace ptq::passes {
namespace {

/// One spatial dimension of a convolution.
struct Axis {
  int64_t in, out, kernel, stride, padding, dilation;

  /// Whether some window lays its tap `tap` on position `position`.
  bool meets(int64_t position, int64_t tap) const {
    const int64_t start = position + padding - tap * dilation;
    return start >= 0 && start % stride == 0 && start / stride < out;
  }
  /// The same for a transposed convolution: the tap writes inside the output.
  bool writes(int64_t position, int64_t tap) const {
    const int64_t to = position * stride - padding + tap * dilation;
    return to >= 0 && to < out;
  }
};

/// Classes of the positions of one dimension, or of several.
struct Classes {
  std::vector<size_t> of_position;
  std::vector<ir::Ints> taps;
};

template <class Meets>
Classes classes_of(const Axis& axis, const Meets& meets) {
  Classes classes;
  std::map<ir::Ints, size_t> known;
  for (int64_t position = 0; position < axis.in; ++position) {
    ir::Ints taps;
    for (int64_t tap = 0; tap < axis.kernel; ++tap) {
      if (meets(position, tap)) taps.push_back(tap);
    }
    const auto [entry, is_new] = known.emplace(taps, classes.taps.size());
    if (is_new) classes.taps.push_back(taps);
    classes.of_position.push_back(entry->second);
  }
  return classes;
}

/// All pairs of a position of `outer` and one of `inner`, whose kernel has `kernel` taps.
Classes product(const Classes& outer, const Classes& inner, int64_t kernel) {
  Classes classes;
  for (const size_t a : outer.of_position) {
    for (const size_t b : inner.of_position) {
      classes.of_position.push_back(a * inner.taps.size() + b);
    }
  }
  for (const ir::Ints& a : outer.taps) {
    for (const ir::Ints& b : inner.taps) {
      ir::Ints& taps = classes.taps.emplace_back();
      for (const int64_t s : a) {
        for (const int64_t t : b) taps.push_back(s * kernel + t);
      }
    }
  }
  return classes;
}

void add_runs(const Classes& classes, Windows& windows) {
  const auto& of_position = classes.of_position;
  for (size_t begin = 0, end = 0; begin < of_position.size(); begin = end) {
    while (end < of_position.size() && of_position[end] == of_position[begin]) ++end;
    if (classes.taps[of_position[begin]].empty()) continue;
    windows.runs.push_back(
        {static_cast<int64_t>(begin), static_cast<int64_t>(end), of_position[begin]});
  }
}

const ir::Dims& shape(const ir::Graph& graph, ir::ValueId value) {
  return graph.values.at(static_cast<size_t>(value)).shape;
}

template <class Op>
std::vector<Axis> axes_of(const ir::Graph& graph, const ir::Node& node, const Op& op) {
  std::vector<Axis> axes;
  for (size_t i = 0; i < op.stride.size(); ++i) {
    axes.push_back({shape(graph, node.inputs[0]).at(i + 2).value,
                    shape(graph, node.output()).at(i + 2).value,
                    op.weight.value.size(static_cast<int64_t>(i) + 2), op.stride[i], op.padding[i],
                    op.dilation[i]});
  }
  return axes;
}

template <class Meets>
Windows windows_over(const std::vector<Axis>& axes, const Meets& meets) {
  Windows windows;
  Classes classes{{0}, {{0}}};
  for (const Axis& axis : axes) {
    const auto on_axis = [&](int64_t position, int64_t tap) { return meets(axis, position, tap); };
    classes = product(classes, classes_of(axis, on_axis), axis.kernel);
    windows.inputs *= axis.in;
    windows.outputs *= axis.out;
    windows.kernel *= axis.kernel;
  }
  add_runs(classes, windows);
  windows.taps = std::move(classes.taps);
  return windows;
}

}  // namespace

Windows windows_of(const ir::Graph& graph, const ir::Node& layer) {
  if (const auto* conv = layer.as<ir::Conv>()) {
    return windows_over(axes_of(graph, layer, *conv), [](const Axis& axis, int64_t p, int64_t tap) {
      return axis.meets(p, tap);
    });
  }
  if (const auto* conv = layer.as<ir::ConvTranspose>()) {
    return windows_over(axes_of(graph, layer, *conv), [](const Axis& axis, int64_t p, int64_t tap) {
      return axis.writes(p, tap);
    });
  }
  if (!layer.is<ir::Linear>()) throw InternalError(layer.name + ": has no windows");
  return windows_over({}, [](const Axis&, int64_t, int64_t) { return true; });
}

}  // namespace ptq::passes
