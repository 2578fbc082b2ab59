#pragma once

#include <utility>
#include <vector>

#include "ptq/ir/graph.h"

namespace ptq::passes {

/// Which positions of a layer's input meet which taps of its kernel. Positions that meet the same
/// taps are of one class: away from the edges of an image all are of one, unless strides tell them
/// apart. Positions and taps are counted in row-major order.
struct Windows {
  /// Positions begin .. end - 1 of a channel of one image, all of one class.
  struct Run {
    int64_t begin, end;
    size_t of_class;
  };

  /// Positions that meet no tap are in none.
  std::vector<Run> runs;
  /// By class.
  std::vector<ir::Ints> taps;
  /// Positions of one image's channel in the layer's input and output.
  int64_t inputs = 1, outputs = 1;
  /// Taps of the kernel.
  int64_t kernel = 1;
};

/// Of a Conv, ConvTranspose or Linear of `graph`. Every row of a Linear is an image of one
/// position.
Windows windows_of(const ir::Graph& graph, const ir::Node& layer);

}  // namespace ptq::passes
