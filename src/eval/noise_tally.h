#pragma once

#include <ATen/core/Tensor.h>

#include "eval/node_noise.h"
#include "ptq/quant/quantizer.h"

namespace ptq::eval {

/// Sums over pairs of equal tensors, exact and quantized, by channel.
class NoiseTally {
 public:
  explicit NoiseTally(int64_t channel_axis) : axis_(channel_axis) {}
  void add(const at::Tensor& exact, const at::Tensor& quantized);

  double sqnr() const;
  /// Of the channels that are not zero throughout; infinite if all are.
  double median_channel_sqnr() const;
  ValueRange range() const;

 private:
  int64_t axis_;
  /// float64 [channels]; undefined before the first pair.
  at::Tensor signal_, noise_, largest_;
};

/// What one quantizer does, over pairs of what it was given and what it made of it.
class OwnTally {
 public:
  explicit OwnTally(const quant::QuantizerTable& table, ir::QuantizerId id);
  void add(const at::Tensor& exact, const at::Tensor& quantized);
  OwnNoise result() const;

 private:
  std::optional<double> step_;
  double signal_ = 0, noise_ = 0;
  int64_t count_ = 0, nonzero_ = 0, vanished_ = 0, clipped_ = 0;
};

}  // namespace ptq::eval
