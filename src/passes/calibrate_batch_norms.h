#pragma once

#include "ptq/passes/calibrate.h"
#include "ptq/quant/quantized_network.h"
#include "ptq/runtime/execution.h"

namespace ptq::passes {

/// Gives the batch norms that were not merged the statistics of the quantized network
/// (reference-contract 6.11):
///
///   mean = mean of batch means,  var = sqrt(var * mean of unbiased batch variances)
///
/// One quantized pass, node by node whatever `execution` says, in which every batch norm normalizes
/// with the statistics of the batch it sees; these are float32, and batches count alike. Where
/// activation scales are those of one image (quant::has_dynamic_scale), so are these statistics.
/// Returns the number of batch norms; takes no image if there is none. Throws QuantizationError
/// naming a batch norm if a statistic is not finite (one value a channel has no variance),
/// DataError if there was no batch.
int calibrate_batch_norms(QuantizedNetwork& network, const runtime::Execution& execution,
                          const NextBatch& next_batch);

}  // namespace ptq::passes
