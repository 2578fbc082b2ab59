#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>

#include "ptq/quant/quantizer.h"

namespace ptq::quant {

/// What one batch of calibration images says about an activation quantizer.
struct ActivationThreshold {
  /// Enters the mean that becomes the scale: |x| or an interval to hold.
  float threshold = 0;
  /// Enters the mean that becomes the zero point, at most 0; unused by symmetric quantizers.
  float zero_point = 0;
};

/// The statistic of one call of a static activation quantizer: the values of one batch, those of
/// one channel where it has a scale for each, which arrive in pieces, in any order, perhaps in
/// several objects (lanes) that are merged. It may want to see the batch more than once (MSE
/// search: first the range, then the candidates):
///
///   for pass in 0 .. passes() - 1:
///     every lane: lane = merged.clone(); lane.begin_pass(pass); lane.add(...) ...
///     merged = first lane; merged.merge(other lanes); merged.end_pass(pass)
///   merged.result()
class ActivationStatistic {
 public:
  virtual ~ActivationStatistic() = default;
  virtual std::unique_ptr<ActivationStatistic> clone() const = 0;
  virtual int passes() const { return 1; }
  virtual void begin_pass(int pass) = 0;
  virtual void add(const float* values, int64_t count) = 0;
  /// `other` is of the same kind and saw another part of the same batch in the same pass.
  virtual void merge(const ActivationStatistic& other) = 0;
  virtual void end_pass(int pass) = 0;
  /// Throws InternalError unless `count` values came in every pass.
  virtual ActivationThreshold result() const = 0;
};

/// For `quantizer`, whose batch holds `count` values in all. Integers from statistics: the
/// percentile of |x|, or the interval between percentiles (reference-contract 3.5). Minifloats:
/// absmax, whatever the percentile (3.10). MSE: the grid of 3.7 with the range of this very batch
/// (section 10, row 23: the reference carries a zero point over from the batch before);
/// power-of-two quantizers search with unrestricted scales. NaN and infinity come through to the
/// result.
std::unique_ptr<ActivationStatistic> make_activation_statistic(const Quantizer& quantizer,
                                                               double percentile, int64_t count);
/// The same for a quantizer whose threshold is divided by `divisor`, that of a shared scale,
/// instead of its own: an MSE search tries the scales it will have.
std::unique_ptr<ActivationStatistic> make_activation_statistic(const Quantizer& quantizer,
                                                               double divisor, double percentile,
                                                               int64_t count);

/// The scale of a mean threshold and divisor: s = max(threshold / T, 1e-10), or with powers of two
/// max(2^ceil(log2 threshold) / T, 1e-10), log2 in float32 (reference-contract 3.5).
at::Tensor activation_scale(float threshold, double divisor, ScaleType type);

/// z = clamp(round(|mean| / s), quant_min, quant_max).
at::Tensor activation_zero_point(float mean, const at::Tensor& scale, const IntegerFormat& format);

}  // namespace ptq::quant
