#pragma once

#include "runtime/integer/window_rows.h"
#include "runtime/steps/step.h"

namespace ptq::runtime::integer {

/// Whether every channel is convolved by itself, once.
bool is_depthwise(const Windows& windows, int64_t output_channels);

/// `rows` is [channels, taps] int8.
std::unique_ptr<Step> depthwise_step(const quant::IntegerLayer& layer, const at::Tensor& rows,
                                     const Windows& windows, const quant::ByteFormat& input,
                                     Tail tail);

}  // namespace ptq::runtime::integer
