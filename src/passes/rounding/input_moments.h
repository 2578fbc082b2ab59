#pragma once

#include <ATen/core/Tensor.h>

#include <random>
#include <vector>

#include "ptq/ir/op.h"

namespace ptq::passes {

/// Second moments of what a layer multiplies with its weight, group by group: with x the columns of
/// the unfolded input (K = in / groups * taps values, in the order of
/// passes/rounding/weight_rows.h; rows of a Linear's input),
///
///   hessian = sum of factor x xᵀ       cross = sum of factor x fᵀ
///
/// where f is the same column of a second input, that of the float network. What the quantized
/// layer does wrong follows from them: the sum of |W f - Q x|² is the energy of W f, minus
/// 2 tr(Q cross Wᵀ), plus tr(Q hessian Qᵀ). Float32 products of a few columns are added in float64:
/// with sums of all columns in float32, whose last digits differ between processors, codes differ
/// too. An unfolded input is never there as a whole.
class InputMoments {
 public:
  struct Options {
    /// Whether `cross` and `energy` are summed.
    bool cross = false;
    /// Part of the columns that enters the sums, drawn at random and evenly (in lanes line by
    /// line), the same for the same inputs.
    double fraction = 1;
    /// The float weight W, by rows (weight_rows); needed with `cross`.
    at::Tensor float_rows;
    /// Whether `input_sums`, and with `cross` `float_sums`, are summed.
    bool means = false;
  };

  /// `op` outlives this.
  InputMoments(const ir::Op& op, Options options);

  /// How many columns an input unfolds to.
  int64_t columns_of(const at::Tensor& input) const;

  /// `input` and `float_input` float32, of the same sizes.
  void add(const at::Tensor& input, double factor = 1);
  void add(const at::Tensor& input, const at::Tensor& float_input, double factor = 1);

  /// [groups, K, K], float64.
  at::Tensor hessian();
  at::Tensor cross() const { return cross_; }
  /// [groups, K], float32: sums of factor x and of factor f.
  at::Tensor input_sums() const { return input_sums_.to(at::kFloat); }
  at::Tensor float_sums() const { return float_sums_.to(at::kFloat); }
  /// How many columns were added, those left out by `fraction` too.
  int64_t columns() const { return columns_; }
  /// Sum of factor |W f|².
  double energy() const { return energy_; }

 private:
  /// Of the input, and of the float input or undefined: images, or their columns, [.., columns].
  struct Pair {
    at::Tensor input, float_input;
  };

  void add_all(const Pair& inputs, double factor);
  void add_unfolded(const Pair& inputs, double factor);
  void add_columns(const Pair& columns, double factor);
  std::vector<int64_t> drawn(int64_t count);
  Pair sample(const Pair& columns);
  void add_group(int64_t group, const Pair& columns, double factor);
  void add_lanes(const Pair& inputs, double factor);
  void add_lane_moments(const struct LaneMoments& sums, int64_t first_group, double factor);

  const ir::Op& op_;
  Options options_;
  int64_t groups_, depth_;
  /// Whether there are so many small groups that they are summed side by side (LaneMoments).
  bool in_lanes_;
  /// Float64. Out of lanes only the upper triangle, in blocks, of the Hessian is right.
  at::Tensor hessian_;
  at::Tensor cross_;
  at::Tensor input_sums_, float_sums_;
  double energy_ = 0;
  int64_t columns_ = 0;
  std::mt19937_64 random_;
};

}  // namespace ptq::passes
