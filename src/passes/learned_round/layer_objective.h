#pragma once

#include <ATen/core/Tensor.h>

namespace ptq::passes {

/// [groups, m, k] times [groups, k, n], added to `sum`.
void add_products(at::Tensor& sum, const at::Tensor& a, const at::Tensor& b);

/// Of a weight [groups, out, K] for the mean of its inputs [groups, K]: [groups, out].
at::Tensor mean_output(const at::Tensor& weight, const at::Tensor& mean);

/// The means of what a layer reads, [groups, K]: of x_q and of x below.
struct InputMeans {
  at::Tensor quantized, original;
};

/// What a layer reads, over columns (windows of all images): with x its input in the float network
/// and x_q when quantized, h = E[x_q x_q^T] and g = E[x_q x^T], [groups, K, K], and energy =
/// E|W x|^2.
struct LayerMoments {
  at::Tensor h, g;
  double energy = 0;
  InputMeans means;
};

/// The same of x_q - about.quantized and x - about.original. About the means of all columns they
/// say what is left of a layer's error where its bias makes up for the mean of it. `means` stay.
LayerMoments centred(const LayerMoments& moments, const InputMeans& about,
                     const at::Tensor& weight);

/// Whether an error is taken as it is, or without its mean, which a bias can make up for.
enum class MeanError { kCounts, kLeftToBias };

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
  /// The mean of e, [groups, out / groups], over all images.
  virtual at::Tensor mean_error(const at::Tensor& change) const = 0;
  /// The mean square of each input, [groups, K], of x_q as the error has it.
  virtual at::Tensor mean_squares() const = 0;
};

/// From moments: E[e x_q^T] = dW H + W (H - G)^T with H = E[x_q x_q^T] and G = E[x_q x^T]. One
/// product of [out, K] with [K, K] a step, however many images there are.
class MomentsObjective : public LayerObjective {
 public:
  MomentsObjective(const at::Tensor& weight, const LayerMoments& moments);

  at::Tensor half_gradient(const at::Tensor& change) override;
  double error(const at::Tensor& change) override;
  at::Tensor mean_error(const at::Tensor& change) const override;
  at::Tensor mean_squares() const override { return h_.diagonal(0, 1, 2); }

  const at::Tensor& h() const { return h_; }
  /// W (H - G)^T.
  const at::Tensor& offset() const { return offset_; }
  /// The error for no change: the mean of |W (x_q - x)|^2.
  double constant() const { return constant_; }

 private:
  at::Tensor h_;
  at::Tensor offset_;
  double constant_;
  at::Tensor quantized_mean_;
  /// W (E[x_q] - E[x]).
  at::Tensor mean_offset_;
};

/// From the columns themselves, two products of [out, K] with as many columns as there are: less
/// work than moments where columns are fewer than K / 2. For layers of one group.
class ColumnsObjective : public LayerObjective {
 public:
  /// `quantized` and `original` are x_q and x, [columns, K].
  ColumnsObjective(const at::Tensor& weight, at::Tensor quantized, at::Tensor original,
                   MeanError mean);

  at::Tensor half_gradient(const at::Tensor& change) override;
  double error(const at::Tensor& change) override;
  at::Tensor mean_error(const at::Tensor& change) const override;
  at::Tensor mean_squares() const override;

 private:
  /// [columns, out].
  at::Tensor difference(const at::Tensor& change) const;

  /// With kLeftToBias, without their means, which are kept apart.
  at::Tensor quantized_;
  at::Tensor quantized_mean_, mean_offset_;
  /// (x_q - x) W^T.
  at::Tensor offset_;
};

}  // namespace ptq::passes
