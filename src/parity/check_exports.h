#pragma once

#include <cstdint>

#include "parity/export_report.h"
#include "ptq/base/log.h"
#include "ptq/data/loader.h"
#include "ptq/quant/quantized_network.h"
#include "ptq/runtime/execution.h"

namespace ptq::parity {

/// How a network is run beside the files that were written from it.
struct CheckOptions {
  /// Validation images, from the first on.
  int64_t images = 0;
  /// At most; activations are held for a batch.
  int64_t batch_size = 256;
  data::Recipe recipe;
  runtime::Execution execution;
};

/// Loads every file of `report` again, runs it on the first images of `validation` and adds what
/// came out to the file's checks. Predictions that differ from those of the network itself are a
/// warning.
void check_exports(const QuantizedNetwork& network, data::Loader& validation,
                   const CheckOptions& options, ExportReport& report, Log& log);

}  // namespace ptq::parity
