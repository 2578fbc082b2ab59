#pragma once

#include <memory>

#include "quant/activation_statistic.h"

namespace ptq::quant {

/// The MSE search over one batch (reference-contract 3.7): the range, then the threshold, then for
/// asymmetric quantizers the zero point, a pass each. Candidates become scales as they are, also
/// where scales are powers of two.
std::unique_ptr<ActivationStatistic> make_mse_statistic(const Quantizer& quantizer, double divisor,
                                                        int64_t count);

}  // namespace ptq::quant
