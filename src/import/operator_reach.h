#pragma once

#include <ATen/core/Generator.h>

#include <array>
#include <vector>

#include "import/image_reach.h"

namespace ptq::import {

/// Numbers drawn at random, the same ones from every new object: what an import finds does not
/// depend on those before it.
class Draws {
 public:
  Draws();
  /// Numbers that every function takes, between 0.1 and 0.9.
  at::Tensor floats(const ir::Ints& shape);
  /// Drawn floats, decisions that are all true, integers moved by one.
  at::Tensor without_zeros(const at::Tensor& value);
  /// `value` with others where `mask` says so, in the `way` numbered from 0 to ways_of(value):
  /// drawn floats times one of kFactors; decisions reversed; integers from elsewhere in it, which
  /// are places wherever it holds places, or moved by one of kMoves, which may be none.
  at::Tensor others(const at::Tensor& value, const at::Tensor& mask, size_t way);

 private:
  at::Generator generator_;
};

/// The reach of the result, of extents `shape`, of an operator without a rule: it is called alone
/// on numbers drawn for the purpose, and again with others in their place. `values` are what it may
/// be called with; floats that depend on images are drawn anew.
Reach reach_through(const ir::Opaque& op, const std::vector<Reach>& inputs,
                    const std::vector<at::Tensor>& values, const ir::Ints& shape, Draws& draws);

/// What drawn floats are multiplied by: clamps, comparisons and maxima let one of these through.
inline constexpr std::array<double, 3> kFactors = {1, 1000, -1000};
/// What integers are moved by, which may all be equal.
inline constexpr std::array<int64_t, 3> kMoves = {1, 1000, -1000};

/// How many ways there are to exchange elements of `value`.
size_t ways_of(const at::Tensor& value);

}  // namespace ptq::import
