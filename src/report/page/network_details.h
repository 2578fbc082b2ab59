#pragma once

#include "ptq/quant/quantized_network.h"
#include "report/page/details.h"

namespace ptq::report {

/// Weights and activation quantizers of a quantized network, and what it runs on integers: `truth`,
/// or where there is none what is true of it as it stands. No answers.
RunDetails network_details(const QuantizedNetwork& network,
                           const std::optional<exporting::Truth>& truth);

}  // namespace ptq::report
