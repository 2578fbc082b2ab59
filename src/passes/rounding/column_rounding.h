#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "passes/rounding/accumulator_bound.h"
#include "passes/rounding/column_quantizer.h"

/// Techniques that round a matrix of weights one column (input) after another and let the columns
/// still to come make up for the error. All rows are treated alike and apart from each other.
namespace ptq::passes {

/// One group of a layer. Matrices of weights are float32 and [K, out], so that a column of the
/// layer's weight is a row here.
struct ColumnProblem {
  /// Changed in place: real numbers whose rounding at the quantizer's scales is the result.
  at::Tensor weight;
  /// The float weight whose outputs are aimed at: GPFQ and Qronos.
  at::Tensor original;
  /// Moments of the input (passes/rounding/input_moments.h), float64, [K, K], for GPTQ twice the
  /// mean over columns; `cross` for GPFQ and Qronos.
  at::Tensor hessian, cross;
  const ColumnQuantizer* quantizer = nullptr;
  int64_t group = 0;
  /// GPTQ and GPFQ; none where the accumulator has no limit.
  AccumulatorBound* bound = nullptr;
  /// Columns with large inputs first, instead of in their order.
  bool act_order = false;
  /// Qronos: part of the Hessian's largest eigenvalue that is added to its diagonal.
  double damping = 1e-6;
};

/// GPTQ (arXiv 2210.17323; reference-contract 6.7), damping 0.01 of the mean of the Hessian's
/// diagonal. Columns whose input is always zero become zero. False, with nothing else done, if the
/// damped Hessian has no inverse.
bool round_by_gptq(ColumnProblem& problem);

/// GPFQ (doi 10.1137/22M1511709; reference-contract 6.8). Columns whose quantized input is always
/// zero become zero.
void round_by_gpfq(ColumnProblem& problem);

/// Qronos (arXiv 2505.11695; reference-contract 6.9). The result as for GPTQ.
bool round_by_qronos(ColumnProblem& problem);

// What they are made of.

/// Columns whose errors go to those behind them in one product.
constexpr int64_t kColumnBlock = 64;
/// Rows of the weight that one core treats at least.
constexpr int64_t kFewestRows = 16;

/// Sets the weights of columns whose input is always zero to zero, and gives the order in which
/// columns are rounded.
std::vector<int64_t> order_columns(ColumnProblem& problem);

/// `matrix` [K, K] with rows and columns in that order.
at::Tensor in_order(const at::Tensor& matrix, const std::vector<int64_t>& order);
/// `weight` [K, out] with its rows in that order, and back.
at::Tensor rows_in_order(const at::Tensor& weight, const std::vector<int64_t>& order);
void write_rows(at::Tensor& weight, const std::vector<int64_t>& order, const at::Tensor& ordered);

/// Limits `values` to the accumulator and writes what they are rounded to.
void round_column(const ColumnProblem& problem, int64_t column, int64_t first, int64_t count,
                  float* values, float* rounded);

/// GPTQ's sweep: rounds row after row of `weight` [n, out], the columns `columns` of the problem,
/// and spreads the error over the rows behind by `factor` (upper triangular, float64, [n, n]). In
/// float64, and so to the same codes on every processor.
void diffuse_errors(const ColumnProblem& problem, const std::vector<int64_t>& columns,
                    const at::Tensor& factor, at::Tensor& weight);

}  // namespace ptq::passes
