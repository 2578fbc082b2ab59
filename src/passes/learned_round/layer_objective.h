#pragma once

#include <ATen/core/Tensor.h>

namespace ptq::passes {

/// [groups, m, k] times [groups, k, n], added to `sum`.
void add_products(at::Tensor& sum, const at::Tensor& a, const at::Tensor& b);

/// In float64.
double sum_of_products(const at::Tensor& a, const at::Tensor& b);

/// How far a layer's output is from the float network's over all columns (windows of all images),
/// as a function of what rounding changes of its weight. With W the weight, dW the change, x the
/// layer's input in the float network and x_q what it reads when quantized,
///
///   e = (W + dW) x_q - W x,   error = mean over columns of |e|^2
///
/// Weights are [groups, out / groups, K], K the inputs of one output.
class LayerObjective {
 public:
  virtual ~LayerObjective() = default;
  /// Half the derivative of the error by the weight, E[e x_q^T], over the images of one more step.
  virtual at::Tensor half_gradient(const at::Tensor& change) = 0;
  /// Over all images.
  virtual double error(const at::Tensor& change) = 0;
};

/// From moments: E[e x_q^T] = dW H + W (H - G)^T with H = E[x_q x_q^T] and G = E[x_q x^T]. One
/// product of [out, K] with [K, K] a step, however many images there are.
class MomentsObjective : public LayerObjective {
 public:
  /// `h` and `g` are [groups, K, K]; `energy` is the mean of |W x|^2.
  MomentsObjective(const at::Tensor& weight, at::Tensor h, const at::Tensor& g, double energy);

  at::Tensor half_gradient(const at::Tensor& change) override;
  double error(const at::Tensor& change) override;

  const at::Tensor& h() const { return h_; }
  /// W (H - G)^T.
  const at::Tensor& offset() const { return offset_; }
  /// The error for no change: the mean of |W (x_q - x)|^2.
  double constant() const { return constant_; }

 private:
  at::Tensor h_;
  at::Tensor offset_;
  double constant_;
};

/// From the columns themselves, two products of [out, K] with as many columns as there are: less
/// work than moments where columns are fewer than K / 2. For layers of one group.
class ColumnsObjective : public LayerObjective {
 public:
  /// `quantized` and `original` are x_q and x, [columns, K].
  ColumnsObjective(const at::Tensor& weight, at::Tensor quantized, const at::Tensor& original);

  at::Tensor half_gradient(const at::Tensor& change) override;
  double error(const at::Tensor& change) override;

 private:
  /// [columns, out].
  at::Tensor difference(const at::Tensor& change) const;

  at::Tensor quantized_;
  /// (x_q - x) W^T.
  at::Tensor offset_;
};

}  // namespace ptq::passes
